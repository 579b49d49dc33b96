//! Who may do what: the outcome of each action for each relation of a caller to a room. The routes decide by this
//! table, `cargo access` prints it for the documentation, and an end-to-end test tries every cell over real sockets.
//! `getRoomList` and the session actions need no check because they only touch what is the caller's own.
//!
//! The table covers only the caller. Whether the request itself can be fulfilled (the text is too long, the group is
//! full, translation is switched off) is up to the route. Callers are always identified: without valid credentials
//! there is no connection, and once the token has expired every action is refused with `session_expired`.

use std::str::FromStr;

use crate::chat::{Member, Role};
use crate::ids::RoomId;
use crate::wire::{Code, Refusal};

/// The actions of the protocol, which are the route keys of `template.yaml`.
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
    /// `setLanguage`
    SetLanguage,
    /// `refreshSession`
    RefreshSession,
    /// `signOutEverywhere`
    SignOutEverywhere,
    /// `createTicket`
    CreateTicket,
}

/// How a caller relates to the room that they name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The user's side of a consult.
    Patient,
    /// The hospital's side of a consult.
    Staff,
    /// The creator of a group.
    Owner,
    /// Another member of a group, of a direct room or of an open one.
    Member,
    /// Not a member of a group or an open room, whose existence is no secret.
    NotJoined,
    /// Not one of the two members of a consult or a direct room.
    Stranger,
    /// The room does not exist, or the action names none.
    NoRoom,
}

/// The outcome of an action for a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Allowed.
    Yes,
    /// Allowed if the condition holds.
    If(Condition),
    /// Refused with this code.
    No(Code),
    /// Allowed, but the reply omits the room.
    Omitted,
    /// The action derives the room from the caller, who therefore cannot name this one.
    NotApplicable,
}

/// What an outcome depends on besides the caller's relation to the room. The route knows whether it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The room is not closed.
    NotClosed,
    /// The requested status is `closed`.
    Closing,
    /// The caller's participant sent the message.
    Sender,
    /// The caller speaks for a hospital.
    ForHospital,
    /// The room is an open room.
    OpenRoom,
}

use Condition::{Closing, ForHospital, NotClosed, OpenRoom, Sender};
use Verdict::{If, NotApplicable, Omitted, Yes};

const NOT_FOUND: Verdict = Verdict::No(Code::NotFound);
const NOT_A_MEMBER: Verdict = Verdict::No(Code::NotAMember);
const FORBIDDEN: Verdict = Verdict::No(Code::Forbidden);

impl Action {
    /// All actions, in the order in which they are documented.
    pub const ALL: [Self; 17] = [
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
        Self::SetLanguage,
        Self::RefreshSession,
        Self::SignOutEverywhere,
        Self::CreateTicket,
    ];

    /// The name on the wire.
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
            Self::SetLanguage => "setLanguage",
            Self::RefreshSession => "refreshSession",
            Self::SignOutEverywhere => "signOutEverywhere",
            Self::CreateTicket => "createTicket",
        }
    }

    /// The table: a row for each action, a column for each [`Relation`] in the order of [`Relation::ALL`].
    #[rustfmt::skip]
    const fn row(self) -> [Verdict; 7] {
        match self {
            //                             patient        staff          owner       member      not joined    stranger       no room
            Self::CreateRoom           => [Yes,           Yes,           Yes,        Yes,        NOT_A_MEMBER, NotApplicable, Yes],
            Self::JoinGroup            => [Yes,           Yes,           Yes,        Yes,        Yes,          NOT_FOUND,     If(OpenRoom)],
            Self::SendMessage          => [If(NotClosed), If(NotClosed), Yes,        Yes,        NOT_A_MEMBER, NOT_FOUND,     NOT_FOUND],
            Self::GetChatHistory       => [Yes,           Yes,           Yes,        Yes,        NOT_A_MEMBER, NOT_FOUND,     NOT_FOUND],
            Self::GetRoomList          => [Yes,           Yes,           Yes,        Yes,        Omitted,      Omitted,       Omitted],
            Self::ChangeRoomStatus     => [If(Closing),   Yes,           FORBIDDEN,  FORBIDDEN,  NOT_A_MEMBER, NOT_FOUND,     NOT_FOUND],
            Self::MarkRead             => [Yes,           Yes,           Yes,        Yes,        NOT_A_MEMBER, NOT_FOUND,     NOT_FOUND],
            Self::Sync                 => [Yes,           Yes,           Yes,        Yes,        Omitted,      Omitted,       Omitted],
            Self::TranslateMessage     => [Yes,           Yes,           Yes,        Yes,        NOT_A_MEMBER, NOT_FOUND,     NOT_FOUND],
            Self::SetTranslatedMessage => [If(Sender),    Yes,           If(Sender), If(Sender), NOT_A_MEMBER, NOT_FOUND,     NOT_FOUND],
            Self::SetRoomTranslation   => [Yes,           Yes,           FORBIDDEN,  FORBIDDEN,  NOT_A_MEMBER, NOT_FOUND,     NOT_FOUND],
            // These two name no room, so the relation makes no difference.
            Self::GetUsage             => [If(ForHospital); 7],
            Self::GetFailedTranslations => [If(ForHospital); 7],
            // These concern the caller's own session and name no room either.
            Self::SetLanguage | Self::RefreshSession | Self::SignOutEverywhere | Self::CreateTicket => [Yes; 7],
        }
    }

    /// The outcome of this action for a relation.
    pub const fn verdict(self, relation: Relation) -> Verdict {
        self.row()[relation as usize]
    }

    /// Refuses callers who may not do this under any condition. If there is a condition, check [`Self::permits`] as
    /// well.
    pub fn admits(self, relation: Relation) -> Result<(), Refusal> {
        match self.verdict(relation) {
            Yes | If(_) => Ok(()),
            Verdict::No(_) | Omitted | NotApplicable => Err(self.refusal(relation)),
        }
    }

    /// Refuses callers who may not do this; `holds` is the condition that the route found to hold.
    pub fn permits(self, relation: Relation, holds: Option<Condition>) -> Result<(), Refusal> {
        match self.verdict(relation) {
            Yes => Ok(()),
            If(condition) if holds == Some(condition) => Ok(()),
            If(_) | Verdict::No(_) | Omitted | NotApplicable => Err(self.refusal(relation)),
        }
    }

    /// The error for a caller who may not do this.
    pub fn refusal(self, relation: Relation) -> Refusal {
        let code = match self.verdict(relation) {
            Verdict::No(code) => code,
            If(condition) => condition.refusal_code(),
            Yes | Omitted | NotApplicable => Code::NotFound,
        };
        match code {
            Code::NotAMember => Refusal::new(code, self.not_a_member()),
            Code::RoomClosed => Refusal::new(code, "consult is closed; ask the hospital to reopen it"),
            Code::Forbidden => Refusal::forbidden(self.forbidden(relation)),
            // The same message for all, so that a hidden room looks like a missing one.
            _ => Refusal::no_such_room(),
        }
    }

    fn not_a_member(self) -> &'static str {
        match self {
            Self::CreateRoom => "room already exists; call joinGroup first",
            _ => "not a member of this room; call joinGroup first",
        }
    }

    fn forbidden(self, relation: Relation) -> &'static str {
        match (self, relation) {
            (Self::ChangeRoomStatus, Relation::Patient) => {
                "patients can only close a consult; ask the hospital to change its status"
            }
            (Self::ChangeRoomStatus, _) => "this room has no status; only consults have one",
            (Self::SetRoomTranslation, _) => "this room has no translation setting; only consults have one",
            (Self::SetTranslatedMessage, Relation::Patient) => {
                "not your message; only its sender and the hospital can correct its translation"
            }
            (Self::SetTranslatedMessage, _) => "not your message; only its sender can correct its translation",
            (Self::GetUsage | Self::GetFailedTranslations, _) => {
                "not available to users; only hospitals can see translation usage and failures"
            }
            _ => "not allowed in this room",
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
    /// All relations, in the order of the table's columns.
    pub const ALL: [Self; 7] =
        [Self::Patient, Self::Staff, Self::Owner, Self::Member, Self::NotJoined, Self::Stranger, Self::NoRoom];

    /// The relation of a member.
    pub fn of_member(member: &Member) -> Self {
        match member.role {
            Role::Patient => Self::Patient,
            Role::Staff => Self::Staff,
            Role::Owner => Self::Owner,
            Role::Admin | Role::Member => Self::Member,
        }
    }

    /// The relation of a caller who is not a member.
    pub fn without_membership(room_id: &RoomId, exists: bool) -> Self {
        match (exists, room_id.is_discoverable()) {
            (true, true) => Self::NotJoined,
            (true, false) => Self::Stranger,
            (false, _) => Self::NoRoom,
        }
    }
}

impl Condition {
    /// The error code if the condition does not hold.
    pub const fn refusal_code(self) -> Code {
        match self {
            NotClosed => Code::RoomClosed,
            Closing | Sender | ForHospital => Code::Forbidden,
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
    fn columns_follow_the_order_of_relations() {
        for (column, relation) in Relation::ALL.into_iter().enumerate() {
            assert_eq!(relation as usize, column);
        }
    }

    #[test]
    fn strangers_get_the_error_of_a_missing_room() {
        for action in Action::ALL {
            // Either the caller cannot name the room, or the action names none.
            if action.verdict(Relation::Stranger) == NotApplicable || action.row() == [Yes; 7] {
                continue;
            }
            let error = |relation| {
                let refusal = action.permits(relation, None).expect_err("must be refused");
                (refusal.code, refusal.message)
            };
            assert_eq!(error(Relation::Stranger), error(Relation::NoRoom), "{action:?}");
        }
    }
}
