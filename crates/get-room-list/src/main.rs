//! Answers `getRoomList`.

mod cursor;
mod route;

use shared::adapters::dynamodb::{Members, Rooms};
use shared::runtime::{Fatal, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    serve(module_path!(), async |aws| Ok(route::GetRoomList { rooms: Rooms::open(aws)?, members: Members::open(aws)? }))
        .await
}
