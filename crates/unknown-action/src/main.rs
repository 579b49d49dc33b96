//! Answers every frame whose action has no route.

mod route;

use shared::runtime::{Fatal, serve_without_aws};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    serve_without_aws(module_path!(), route::UnknownAction).await
}
