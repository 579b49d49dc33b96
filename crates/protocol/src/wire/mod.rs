//! The wire format: requests, replies, events and errors.

mod event;
mod refusal;
pub mod replies;
mod request;
pub mod requests;
#[cfg(feature = "schema")]
mod schema;
mod view;

pub use event::{Event, SessionEvent};
pub use refusal::{Code, Refusal};
pub use request::{Frame, Month, PageSize};
pub use view::{LastMessageView, MemberView, MessageView, RoomView, TranslationView};

use serde::Serialize;

/// The most bytes of a frame to a client (API Gateway's limit of 128 KB).
pub const FRAME_LIMIT: usize = 128 * 1024;

/// The most bytes of a page. API Gateway bills frames in units of 32 KB.
pub const PAGE_LIMIT: usize = 32 * 1024;

/// The part of a page reserved for the reply's envelope: type, action, an escaped `request_id`, a room id, a cursor.
pub const ENVELOPE_RESERVE: usize = 1024;

/// A reply: the route's own fields in an envelope.
#[derive(Serialize)]
pub struct Reply<'a, T> {
    r#type: &'static str,
    action: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(flatten)]
    body: T,
}

impl<'a, T: Serialize> Reply<'a, T> {
    /// The reply to a request that succeeded.
    pub fn done(action: &'a str, request_id: Option<&'a str>, body: T) -> Self {
        Self { r#type: "reply", action, request_id, body }
    }

    /// The reply to a request that was refused.
    pub fn refused(action: &'a str, request_id: Option<&'a str>, body: T) -> Self {
        Self { r#type: "error", action, request_id, body }
    }
}

/// The length of a value in bytes of JSON.
pub fn json_len(value: &impl Serialize) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Our own types always serialize; if one did not, it would count as larger than any page.
    serde_json::to_writer(&mut count, value).map_or(usize::MAX, |()| count.0)
}

/// Fills a page: takes items while their JSON fits into `limit` bytes, and always the first one, so that paging makes
/// progress. Returns the items and their size in bytes.
pub fn fit<T: Serialize>(items: impl IntoIterator<Item = T>, limit: usize) -> (Vec<T>, usize) {
    let mut taken = Vec::new();
    let mut size = 0;
    for item in items {
        let bytes = json_len(&item).saturating_add(1);
        if !taken.is_empty() && size + bytes > limit {
            break;
        }
        size += bytes;
        taken.push(item);
    }
    (taken, size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_stays_within_its_limit_but_is_never_empty() {
        let texts = ["x".repeat(40), "y".repeat(40), "z".repeat(40)];
        assert_eq!(fit(&texts, 90).0.len(), 2);
        assert_eq!(fit(&texts, 1).0.len(), 1);
        assert_eq!(fit(&texts, 1000).0.len(), 3);
    }
}
