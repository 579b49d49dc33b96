//! Reads the stream of `messages` and translates new texts.

mod reader;

use shared::adapters::dynamodb::Rooms;
use shared::runtime::{Fatal, serve_stream};
use shared::services::translator::Translator;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    serve_stream(module_path!(), async |aws| {
        Ok(reader::AutoTranslate { rooms: Rooms::open(aws)?, translator: Translator::open(aws).await? })
    })
    .await
}
