//! The state that all connections of one API share.

use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::connections::Connections;
use super::event::Envelope;
use super::limits::Limits;
use super::management::Management;
use super::route_selection::RouteSelection;
use crate::faults::Faults;
use crate::lambda::Functions;
use sam_template::WebSocketApi;

pub(super) struct Api {
    pub(super) model: WebSocketApi,
    pub(super) selection: RouteSelection,
    pub(super) envelope: Envelope,
    pub(super) limits: Limits,
    pub(super) functions: Functions,
    pub(super) connections: Connections,
    pub(super) management: Management,
    pub(super) faults: Faults,
    pub(super) stopping: watch::Receiver<bool>,
    pub(super) sessions: TaskTracker,
}
