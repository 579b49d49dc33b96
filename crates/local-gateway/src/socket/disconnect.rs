//! `$disconnect`, with the faults that a plan injects into it.

use super::api::Api;
use super::connection::Connection;
use super::ending::Ending;
use super::event::new_id;
use crate::faults::Kind;

/// Runs `$disconnect` once, or as the fault plan has it: never, late or twice.
pub(super) async fn run_under_faults(api: &Api, connection: &Connection, ending: &Ending) {
    let inject = |kind| api.faults.inject(kind, "", "");
    if inject(Kind::DisconnectNever).is_some() {
        return;
    }
    if let Some(late) = inject(Kind::DisconnectLate) {
        let mut stopping = api.stopping.clone();
        tokio::select! {
            () = tokio::time::sleep(late.delay) => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }
    run(api, connection, ending).await;
    if inject(Kind::DisconnectTwice).is_some() {
        run(api, connection, ending).await;
    }
}

async fn run(api: &Api, connection: &Connection, ending: &Ending) {
    let Some(route) = api.model.routes.get("$disconnect") else { return };
    let event = api.envelope.disconnect(&connection.caller, &new_id(), ending.code(), ending.reason());
    if let Err(problem) = api.functions.invoke(&route.function, event.to_string().into()).await {
        tracing::warn!(%problem, "$disconnect failed");
    }
}
