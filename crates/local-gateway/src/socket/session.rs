//! One connection from its upgrade to its `$disconnect`.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::api::Api;
use super::connection::{Connection, Outgoing};
use super::ending::Ending;
use super::limits::Limits;
use super::{disconnect, message};
use crate::faults::{Faults, Kind};

type Stream = WebSocketStream<TokioIo<Upgraded>>;

/// Runs an accepted connection: its messages, its end, its `$disconnect`.
pub(super) async fn run(
    api: Arc<Api>,
    connection: Arc<Connection>,
    to_write: mpsc::UnboundedReceiver<Outgoing>,
    upgrade: OnUpgrade,
    token: TaskTrackerToken,
) {
    let ending = match upgrade.await {
        Ok(upgraded) => {
            let stream =
                WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config(&api.limits)));
            converse(&api, &connection, to_write, stream.await).await
        }
        // The client went away while $connect ran.
        Err(_) => Ending::Broken,
    };
    api.connections.remove(&connection.caller.connection_id);
    disconnect::run_under_faults(&api, &connection, &ending).await;
    drop(token);
}

fn config(limits: &Limits) -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(limits.message_bytes))
        .max_frame_size(Some(limits.frame_bytes))
        .read_buffer_size(8 * 1024)
        // Every frame is sent immediately.
        .write_buffer_size(0)
}

/// Reads and writes until the connection ends, and closes it.
async fn converse(
    api: &Arc<Api>,
    connection: &Arc<Connection>,
    to_write: mpsc::UnboundedReceiver<Outgoing>,
    stream: Stream,
) -> Ending {
    let (sink, mut stream) = stream.split();
    let (finish, finished) = oneshot::channel();
    let mut writer = tokio::spawn(write(connection.clone(), sink, to_write, finished, api.faults.clone()));
    let mut stopping = api.stopping.clone();
    let ending = tokio::select! {
        ending = read(api, connection, &mut stream) => ending,
        () = connection.deleted() => Ending::DELETED,
        () = idle(connection, api.limits.idle) => Ending::GOING_AWAY,
        () = tokio::time::sleep(api.limits.longest) => Ending::GOING_AWAY,
        _ = stopping.wait_for(|stopping| *stopping) => Ending::GOING_AWAY,
        _ = &mut writer => Ending::Broken,
    };
    // No more pushes from here on, so the queue holds all frames that are left to write.
    api.connections.remove(&connection.caller.connection_id);
    if ending != Ending::Broken {
        let closing = async {
            let _ = finish.send(());
            if let Ok(Some(sink)) = (&mut writer).await
                && let Ok(whole) = stream.reunite(sink)
            {
                close(whole, &ending).await;
            }
        };
        // Gives up on a client that reads nothing.
        let _ = tokio::time::timeout(api.limits.close_timeout, closing).await;
    }
    writer.abort();
    ending
}

/// Reads messages and invokes their functions concurrently, as on AWS: a slow one does not delay the next.
async fn read(api: &Arc<Api>, connection: &Arc<Connection>, stream: &mut SplitStream<Stream>) -> Ending {
    loop {
        match stream.next().await {
            Some(Ok(Message::Text(text))) => {
                connection.touch();
                let cut = api.faults.inject(Kind::ConnectionCut, "", "");
                if cut.is_some_and(|cut| cut.pick(2) == 0) {
                    return Ending::Broken;
                }
                tokio::spawn(message::handle(api.clone(), connection.clone(), text.as_str().to_owned()));
                if cut.is_some() {
                    return Ending::Broken;
                }
            }
            Some(Ok(Message::Binary(_))) => {
                return Ending::ByGateway { code: 1003, reason: "Binary frames are not supported" };
            }
            Some(Ok(Message::Close(Some(frame)))) => {
                return Ending::ByClient { code: frame.code.into(), reason: frame.reason.as_str().to_owned() };
            }
            Some(Ok(Message::Close(None))) => {
                return Ending::ByClient { code: 1005, reason: "Client-side close frame status not set".to_owned() };
            }
            // The library answers pings; neither pings nor pongs are messages.
            Some(Ok(_)) => {}
            Some(Err(Error::Capacity(_))) => return Ending::ByGateway { code: 1009, reason: "Message too long" },
            Some(Err(Error::Utf8(_))) => return Ending::ByGateway { code: 1007, reason: "Text is not UTF-8" },
            Some(Err(Error::Protocol(problem))) if problem != ProtocolError::ResetWithoutClosingHandshake => {
                return Ending::ByGateway { code: 1002, reason: "Protocol error" };
            }
            Some(Err(_)) | None => return Ending::Broken,
        }
    }
}

/// Writes frames until told to finish, then the queued ones. Returns the sink unless the connection broke.
async fn write(
    connection: Arc<Connection>,
    mut sink: SplitSink<Stream, Message>,
    mut to_write: mpsc::UnboundedReceiver<Outgoing>,
    mut finish: oneshot::Receiver<()>,
    faults: Faults,
) -> Option<SplitSink<Stream, Message>> {
    let mut finishing = false;
    loop {
        let next = tokio::select! {
            next = to_write.recv() => next,
            _ = &mut finish, if !finishing => {
                finishing = true;
                to_write.close();
                continue;
            }
        };
        let Some(Outgoing { text, buffer_space }) = next else { return Some(sink) };
        if faults.inject(Kind::ConnectionCut, "", "").is_some() || sink.send(Message::text(text)).await.is_err() {
            return None;
        }
        // A frame takes buffer space until it is written.
        drop(buffer_space);
        connection.touch();
    }
}

/// Waits until no message was sent or received for this long.
async fn idle(connection: &Connection, limit: Duration) {
    loop {
        let left = limit.saturating_sub(connection.idle_since().elapsed());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left).await;
    }
}

/// Closes the connection in order.
async fn close(mut stream: Stream, ending: &Ending) {
    match ending {
        // The library answers the client's close frame, at the latest on the next read.
        Ending::ByClient { .. } => while let Some(Ok(_)) = stream.next().await {},
        Ending::ByGateway { code, reason } => {
            let frame = CloseFrame { code: CloseCode::from(*code), reason: (*reason).into() };
            if stream.close(Some(frame)).await.is_ok() {
                // The client may be in the middle of a frame. If the socket were closed with unread data, the client
                // would get a reset and lose the close frame, so everything is read until the end.
                let mut socket = stream.into_inner();
                let _ = socket.shutdown().await;
                let mut rest = vec![0; 16 * 1024];
                while matches!(socket.read(&mut rest).await, Ok(read) if read > 0) {}
            }
        }
        Ending::Broken => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use tokio::time::Instant;

    use super::*;
    use crate::socket::event::Caller;

    #[tokio::test]
    async fn messages_keep_connections_open() {
        const LIMIT: Duration = Duration::from_millis(200);
        let caller = Caller {
            connection_id: "a=".into(),
            connected_at: SystemTime::now(),
            source_ip: [127, 0, 0, 1].into(),
            user_agent: None,
            authorizer: None,
        };
        let (connection, _to_write) = Connection::open(caller, &Limits::default());
        let mut touched = vec![Instant::now()];
        let messages = async {
            for _ in 0..3 {
                tokio::time::sleep(LIMIT / 2).await;
                connection.touch();
                touched.push(Instant::now());
            }
        };
        let ended = async {
            idle(&connection, LIMIT).await;
            Instant::now()
        };
        let (ended, ()) = tokio::join!(ended, messages);
        // On a slow machine the connection may end before the last message: only those before its end count.
        let last = touched.into_iter().filter(|at| *at <= ended).max().expect("the first");
        assert!(ended - last + Duration::from_millis(1) >= LIMIT, "{:?}", ended - last);
    }
}
