//! Who may do what: for each action, what a caller gets by what they are to the room. This table is what decides: the routes and
//! [`crate::services::membership`] ask it, `cargo access` prints it for README, and a story tries every cell of it over real sockets. Only
//! `getRoomList` and what is about one's own session have nothing to ask: they meet nothing but the caller's own.
//!
//! It knows only who asks. Whether what they ask for can be done (a text that is too long, a group that is full, a consult whose
//! people have switched translation off) is the route's to say. Who is nobody meets none of this: without a valid token there is
//! no connection, and after the token's end every action is `session_expired`.

use std::str::FromStr;

use crate::chat::{Member, Role};
use crate::ids::RoomId;
use crate::wire::{Code, Refusal};

/// Everything that can be asked for: the route keys of `template.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `createRoom`
    CreateRoom,
    /// `joinGroup`
    JoinGroup,
    /// `sendMessage`
    SendMessage,
    /// `getChatHistory`
    GetChatHistory,
    /// `getRoomList`
    GetRoomList,
    /// `changeRoomStatus`
    ChangeRoomStatus,
    /// `markRead`
    MarkRead,
    /// `sync`
    Sync,
    /// `translateMessage`
    TranslateMessage,
    /// `setTranslatedMessage`
    SetTranslatedMessage,
    /// `setRoomTranslation`
    SetRoomTranslation,
    /// `getUsage`
    GetUsage,
    /// `getFailedTranslations`
    GetFailedTranslations,
    /// `refreshSession`
    RefreshSession,
    /// `signOutEverywhere`
    SignOutEverywhere,
    /// `createTicket`
    CreateTicket,
}

/// What a caller is to the room that they name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The user's side of a consult.
    Patient,
    /// The hospital's side of a consult.
    Staff,
    /// Who created a group.
    Owner,
    /// Another member of a group, of a direct room or of an open one.
    Member,
    /// Nobody in a group or an open room, which may be known of.
    NotJoined,
    /// Nobody in a consult or a direct room, which is its two sides' business.
    Stranger,
    /// There is no such room, or the action names none.
    NoRoom,
}

/// What a caller gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// What they ask for.
    Yes,
    /// What they ask for, where this holds.
    If(Condition),
    /// An error.
    No(Code),
    /// An answer in which the room does not appear.
    LeftOut,
    /// The action names the room by the caller, so that this one cannot be named.
    Unnamed,
}

/// What more than the caller's relation to the room decides; the route knows whether it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The room is not closed.
    NotClosed,
    /// What is asked for is to close it.
    Closing,
    /// The message was written from the caller's own seat.
    OwnWords,
    /// The caller speaks for a hospital.
    ForHospital,
    /// The room is an open one.
    OpenRoom,
}

use Condition::{Closing, ForHospital, NotClosed, OpenRoom, OwnWords};
use Verdict::{If, LeftOut, Unnamed, Yes};

const NOT_FOUND: Verdict = Verdict::No(Code::NotFound);
const NOT_A_MEMBER: Verdict = Verdict::No(Code::NotAMember);
const FORBIDDEN: Verdict = Verdict::No(Code::Forbidden);

impl Action {
    /// All of them, in the order in which they are documented.
    pub const ALL: [Self; 16] = [
        Self::CreateRoom,
        Self::JoinGroup,
        Self::SendMessage,
        Self::GetChatHistory,
        Self::GetRoomList,
        Self::ChangeRoomStatus,
        Self::MarkRead,
        Self::Sync,
        Self::TranslateMessage,
        Self::SetTranslatedMessage,
        Self::SetRoomTranslation,
        Self::GetUsage,
        Self::GetFailedTranslations,
        Self::RefreshSession,
        Self::SignOutEverywhere,
        Self::CreateTicket,
    ];

    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateRoom => "createRoom",
            Self::JoinGroup => "joinGroup",
            Self::SendMessage => "sendMessage",
            Self::GetChatHistory => "getChatHistory",
            Self::GetRoomList => "getRoomList",
            Self::ChangeRoomStatus => "changeRoomStatus",
            Self::MarkRead => "markRead",
            Self::Sync => "sync",
            Self::TranslateMessage => "translateMessage",
            Self::SetTranslatedMessage => "setTranslatedMessage",
            Self::SetRoomTranslation => "setRoomTranslation",
            Self::GetUsage => "getUsage",
            Self::GetFailedTranslations => "getFailedTranslations",
            Self::RefreshSession => "refreshSession",
            Self::SignOutEverywhere => "signOutEverywhere",
            Self::CreateTicket => "createTicket",
        }
    }

    /// The table: a row for each action, a column for each [`Relation`] in the order of [`Relation::ALL`].
    #[rustfmt::skip]
    const fn row(self) -> [Verdict; 7] {
        match self {
            //                              patient        staff          owner      member     not joined    stranger   no room
            Self::CreateRoom            => [Yes,           Yes,           Yes,       Yes,       NOT_A_MEMBER, Unnamed,   Yes],
            Self::JoinGroup             => [Yes,           Yes,           Yes,       Yes,       Yes,          NOT_FOUND, If(OpenRoom)],
            Self::SendMessage           => [If(NotClosed), If(NotClosed), Yes,       Yes,       NOT_A_MEMBER, NOT_FOUND, NOT_FOUND],
            Self::GetChatHistory        => [Yes,           Yes,           Yes,       Yes,       NOT_A_MEMBER, NOT_FOUND, NOT_FOUND],
            Self::GetRoomList           => [Yes,           Yes,           Yes,       Yes,       LeftOut,      LeftOut,   LeftOut],
            Self::ChangeRoomStatus      => [If(Closing),   Yes,           FORBIDDEN, FORBIDDEN, NOT_A_MEMBER, NOT_FOUND, NOT_FOUND],
            Self::MarkRead              => [Yes,           Yes,           Yes,       Yes,       NOT_A_MEMBER, NOT_FOUND, NOT_FOUND],
            Self::Sync                  => [Yes,           Yes,           Yes,       Yes,       LeftOut,      LeftOut,   LeftOut],
            Self::TranslateMessage      => [Yes,           Yes,           Yes,       Yes,       NOT_A_MEMBER, NOT_FOUND, NOT_FOUND],
            Self::SetTranslatedMessage  => [If(OwnWords),  Yes,           If(OwnWords), If(OwnWords), NOT_A_MEMBER, NOT_FOUND, NOT_FOUND],
            Self::SetRoomTranslation    => [Yes,           Yes,           FORBIDDEN, FORBIDDEN, NOT_A_MEMBER, NOT_FOUND, NOT_FOUND],
            // These two name no room, so it makes no difference what the caller is to any.
            Self::GetUsage              => [If(ForHospital); 7],
            Self::GetFailedTranslations => [If(ForHospital); 7],
            // These are about one's own session, and name no room either.
            Self::RefreshSession | Self::SignOutEverywhere | Self::CreateTicket => [Yes; 7],
        }
    }

    /// What who stands so gets.
    pub const fn verdict(self, relation: Relation) -> Verdict {
        self.row()[relation as usize]
    }

    /// Refuses who may not do this in any circumstances. Where there is a condition, [`Self::permits`] is still to be asked.
    pub fn admits(self, relation: Relation) -> Result<(), Refusal> {
        match self.verdict(relation) {
            Yes | If(_) => Ok(()),
            Verdict::No(_) | LeftOut | Unnamed => Err(self.refusal(relation)),
        }
    }

    /// Refuses who may not do this, where `holds` is the condition that the route looked for and found to hold.
    pub fn permits(self, relation: Relation, holds: Option<Condition>) -> Result<(), Refusal> {
        match self.verdict(relation) {
            Yes => Ok(()),
            If(condition) if holds == Some(condition) => Ok(()),
            If(_) | Verdict::No(_) | LeftOut | Unnamed => Err(self.refusal(relation)),
        }
    }

    /// What who may not do this is told.
    pub fn refusal(self, relation: Relation) -> Refusal {
        let code = match self.verdict(relation) {
            Verdict::No(code) => code,
            If(condition) => condition.otherwise(),
            Yes | LeftOut | Unnamed => Code::NotFound,
        };
        match code {
            Code::NotAMember => Refusal::new(code, self.not_a_member()),
            Code::RoomClosed => Refusal::new(code, "this consultation is closed; the hospital can reopen it"),
            Code::Forbidden => Refusal::forbidden(self.forbidden(relation)),
            // One sentence for all, so that a room that the caller may not know of reads like none.
            _ => Refusal::no_such_room(),
        }
    }

    fn not_a_member(self) -> &'static str {
        match self {
            Self::CreateRoom => "this room exists, and you have not joined it; joinGroup does",
            _ => "you have not joined this room; joinGroup does",
        }
    }

    fn forbidden(self, relation: Relation) -> &'static str {
        match (self, relation) {
            (Self::ChangeRoomStatus, Relation::Patient) => {
                "only the hospital changes a consult's status; you may close it"
            }
            (Self::ChangeRoomStatus, _) => "only consults have a status that can be changed",
            (Self::SetRoomTranslation, _) => "only a consult has a choice whether it is translated",
            (Self::SetTranslatedMessage, Relation::Patient) => {
                "only the hospital or the message's own sender corrects a translation"
            }
            (Self::SetTranslatedMessage, _) => "only the message's own sender corrects a translation in this room",
            (Self::GetUsage | Self::GetFailedTranslations, _) => "only a hospital sees what its translations come to",
            _ => "you may not do this in this room",
        }
    }
}

impl FromStr for Action {
    type Err = UnknownAction;
    fn from_str(name: &str) -> Result<Self, UnknownAction> {
        Self::ALL.into_iter().find(|action| action.as_str() == name).ok_or(UnknownAction)
    }
}

/// Not the name of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown action")]
pub struct UnknownAction;

impl Relation {
    /// All of them, in the order of the table's columns.
    pub const ALL: [Self; 7] =
        [Self::Patient, Self::Staff, Self::Owner, Self::Member, Self::NotJoined, Self::Stranger, Self::NoRoom];

    /// What the holder of a seat is.
    pub fn of_member(seat: &Member) -> Self {
        match seat.role {
            Role::Patient => Self::Patient,
            Role::Staff => Self::Staff,
            Role::Owner => Self::Owner,
            Role::Admin | Role::Member => Self::Member,
        }
    }

    /// What a caller without a seat is. Whether the room exists is only asked of one that may be known of.
    pub fn without_membership(room_id: &RoomId, exists: bool) -> Self {
        match (exists, room_id.may_be_known_of()) {
            (true, true) => Self::NotJoined,
            (true, false) => Self::Stranger,
            (false, _) => Self::NoRoom,
        }
    }
}

impl Condition {
    /// What they get for whom it does not hold.
    pub const fn otherwise(self) -> Code {
        match self {
            NotClosed => Code::RoomClosed,
            Closing | OwnWords | ForHospital => Code::Forbidden,
            OpenRoom => Code::NotFound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn action_parses_from_its_wire_name() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse(), Ok(action));
        }
        assert_eq!("createroom".parse::<Action>(), Err(UnknownAction));
        assert_eq!("".parse::<Action>(), Err(UnknownAction));
    }

    #[test]
    fn a_column_stands_where_its_relation_says() {
        for (column, relation) in Relation::ALL.into_iter().enumerate() {
            assert_eq!(relation as usize, column);
        }
    }

    #[test]
    fn a_stranger_is_told_what_they_would_be_told_of_no_room() {
        for action in Action::ALL {
            // One cannot be named, and what is about one's own session concerns no room.
            if action.verdict(Relation::Stranger) == Unnamed || action.row() == [Yes; 7] {
                continue;
            }
            let told = |relation| {
                let refused = action.permits(relation, None).expect_err("nobody's business");
                (refused.code, refused.message)
            };
            assert_eq!(told(Relation::Stranger), told(Relation::NoRoom), "{action:?}");
        }
    }
}
