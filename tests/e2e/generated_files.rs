//! What is generated from the wire's types is what lies in the repository.

use std::process::Command;

use end_to_end::{binaries, root};

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_types_and_the_asyncapi_document_are_those_of_the_functions() {
    for (what, file) in [("typescript", "clients/typescript/src/protocol.ts"), ("asyncapi", "clients/asyncapi.json")] {
        let printed = Command::new(binaries().await.join("codegen")).arg(what).output().expect("it can be run");
        assert!(printed.status.success(), "{printed:?}");
        let written = std::fs::read_to_string(root().join(file)).unwrap_or_default();
        let same = String::from_utf8_lossy(&printed.stdout) == written;
        assert!(same, "the wire has changed: cargo codegen {what} > {file}");
    }
}
