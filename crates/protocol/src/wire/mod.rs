//! The wire: every shape that a client receives, and the frame that every request comes in.

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
pub use view::{MemberView, MessageView, RoomView, TranslationView};

use serde::Serialize;

/// The most bytes of one frame to a client (API Gateway: 128 KB).
pub const FRAME_LIMIT: usize = 128 * 1024;

/// The most bytes of one page: API Gateway meters frames by 32 KB begun.
pub const PAGE_LIMIT: usize = 32 * 1024;

/// What the envelope of a reply may take of its page: type, action, an escaped `request_id`, a room id, a cursor.
pub const ENVELOPE_RESERVE: usize = 1024;

/// A reply as it leaves: the route's own fields inside the envelope.
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
    /// The answer to a request that was done.
    pub fn done(action: &'a str, request_id: Option<&'a str>, body: T) -> Self {
        Self { r#type: "reply", action, request_id, body }
    }

    /// The answer to a request that was refused.
    pub fn refused(action: &'a str, request_id: Option<&'a str>, body: T) -> Self {
        Self { r#type: "error", action, request_id, body }
    }
}

/// How many bytes of JSON a value makes.
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
    // Our own shapes always serialise; should one ever not, it counts as larger than any page.
    serde_json::to_writer(&mut count, value).map_or(usize::MAX, |()| count.0)
}

/// Fills a page: takes items until their JSON would exceed `limit` bytes, but always the first one, so that a page
/// never stands still. Says with how many bytes it ended.
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
    fn a_page_ends_before_it_exceeds_its_limit_but_never_stands_still() {
        let texts = ["x".repeat(40), "y".repeat(40), "z".repeat(40)];
        assert_eq!(fit(&texts, 90).0.len(), 2);
        assert_eq!(fit(&texts, 1).0.len(), 1);
        assert_eq!(fit(&texts, 1000).0.len(), 3);
    }
}
