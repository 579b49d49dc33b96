//! Rooms, members and messages. The values are the same on the wire and in the tables.

mod entry;
mod lenient;
mod room;
mod room_state;
mod text;
mod translation;

pub use entry::{Entry, EntryKind, Sender, SystemEvent};
pub use room::{LastMessage, Member, Room};
pub use room_state::{Role, RoomKind, RoomStatus, TranslationMode};
pub use text::{InvalidText, MessageText, RoomName, preview};
pub use translation::{FailureReason, Translation, TranslationSource, TranslationStatus};
