//! Answers `$default`: every frame that names no action of ours.

mod route;

use shared::runtime::{Fatal, NoLookup, serve, start_logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start_logging(module_path!())?;
    serve(route::UnknownAction, NoLookup).await
}
