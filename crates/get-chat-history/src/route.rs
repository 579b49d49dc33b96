//! Returns a page of a room's log, in ascending order and without gaps.

use protocol::access::Action;
use protocol::appearance::{folded, is_visible};
use protocol::chat::Entry;
use protocol::clock::Timestamp;
use protocol::ids::{LogPosition, RoomId, Seq};
use protocol::wire::replies::{ChatHistory, NextPage};
use protocol::wire::{ENVELOPE_RESERVE, MessageView, PAGE_LIMIT, Refusal, fit, requests};
use shared::adapters::dynamodb::Log;
use shared::error::Error;
use shared::runtime::{Caller, Route};
use shared::services::membership::Membership;
use shared::services::rate_limiter::{LimitedAction, RateLimiter};

use crate::period::first_at;

pub struct GetChatHistory {
    pub membership: Membership,
    pub log: Log,
    pub rate_limiter: RateLimiter,
}

/// The most entries that a search reads. DynamoDB also ends a page at 1 MB.
const SEARCH_READ_LIMIT: u16 = 500;

/// The direction of a page. `end` is the first entry beyond it.
enum Direction {
    /// Towards older entries, starting below `start`.
    Older { start: Seq, end: LogPosition },
    /// Towards newer entries, starting above `start`.
    Newer { start: LogPosition, end: Option<Seq> },
}

impl Route for GetChatHistory {
    type Request = requests::GetChatHistory;
    type Reply = ChatHistory;

    async fn handle(&self, caller: &Caller, request: requests::GetChatHistory) -> Result<ChatHistory, Error> {
        let limit = request.limit.get();
        if request.before_seq.is_some() && request.after_seq.is_some() {
            return Err(
                Refusal::bad_request("`before_seq` and `after_seq` are mutually exclusive; send one of them").into()
            );
        }
        let query = query(request.query.as_deref())?;
        let (_, room) =
            self.membership.with_room(Action::GetChatHistory, &request.room_id, caller.participant()).await?;
        if query.is_some() {
            self.rate_limiter.take(caller.user_id(), LimitedAction::Search).await?;
        }
        let direction = self.direction(&request).await?;
        let read = if query.is_some() { SEARCH_READ_LIMIT } else { limit };
        let (entries, more_beyond) = self.read(&request.room_id, &direction, read).await?;

        let is_match = |entry: &&Entry| query.as_ref().is_none_or(|query| matches_query(entry, query));
        let views = entries
            .iter()
            .filter(is_match)
            .map(|entry| MessageView::new(entry, caller.language.as_ref(), &room.languages));
        let (mut messages, _) = fit(views.take(usize::from(limit)), PAGE_LIMIT - ENVELOPE_RESERVE);
        // A full page ends at its last message; otherwise everything that was read has been considered.
        let found = entries.iter().filter(is_match).count();
        let reached = if messages.len() < found {
            messages.last().map(|view| view.seq)
        } else {
            entries.last().map(|entry| entry.seq)
        };
        let has_more = messages.len() < found || more_beyond;
        let next = reached.filter(|_| has_more).map(|reached| match direction {
            Direction::Older { .. } => NextPage::BeforeSeq(reached),
            Direction::Newer { .. } => NextPage::AfterSeq(reached.into()),
        });
        if matches!(direction, Direction::Older { .. }) {
            messages.reverse();
        }
        Ok(ChatHistory { room_id: request.room_id, messages, has_more, next })
    }
}

impl GetChatHistory {
    async fn direction(&self, request: &requests::GetChatHistory) -> Result<Direction, Error> {
        let room = &request.room_id;
        let first = match request.from {
            Some(from) => first_at(&self.log, room, from).await?.position_before(),
            None => LogPosition::default(),
        };
        let end = match request.to {
            Some(to) => Some(first_at(&self.log, room, Timestamp::from_millis(to.millis().saturating_add(1))).await?),
            None => None,
        };
        Ok(match request.after_seq {
            Some(after) => Direction::Newer { start: after.max(first), end },
            None => {
                let start = request.before_seq.unwrap_or(Seq::LAST);
                Direction::Older { start: end.map_or(start, |end| end.min(start)), end: first }
            }
        })
    }

    /// Up to `count` entries in the direction's order, and whether there are more.
    async fn read(&self, room: &RoomId, direction: &Direction, count: u16) -> Result<(Vec<Entry>, bool), Error> {
        match *direction {
            Direction::Older { start, end } => {
                let mut entries = self.log.before(room, start, count).await?;
                entries.retain(|entry| LogPosition::from(entry.seq) > end);
                // No number is missing, so all entries above the end exist.
                let has_more = entries.last().is_some_and(|oldest| oldest.seq > end.next());
                Ok((entries, has_more))
            }
            Direction::Newer { start, end } => {
                let (mut entries, mut has_more) = self.log.from(room, start.next(), count).await?;
                if let Some(beyond) = end.and_then(|end| entries.iter().position(|entry| entry.seq >= end)) {
                    entries.truncate(beyond);
                    has_more = false;
                }
                Ok((entries, has_more))
            }
        }
    }
}

/// The search text as texts are compared, see [`folded`].
fn query(text: Option<&str>) -> Result<Option<String>, Refusal> {
    const MAX_CHARACTERS: usize = 100;
    match text.map(str::trim) {
        None => Ok(None),
        Some(query) if !is_visible(query) || query.chars().count() > MAX_CHARACTERS => {
            Err(Refusal::bad_request("`query`: must be 1 to 100 characters"))
        }
        Some(query) => Ok(Some(folded(query))),
    }
}

/// Whether the text of an entry or of one of its translations contains the query.
fn matches_query(entry: &Entry, query: &str) -> bool {
    let translated = entry.translations.values().filter_map(|translation| translation.text.as_deref());
    std::iter::once(entry.message.as_str()).chain(translated).any(|text| folded(text).contains(query))
}
