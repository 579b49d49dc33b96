//! JSON Schemas of the types that are plain strings or numbers on the wire.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Month, PageSize};
use crate::chat::RoomName;
use crate::clock::Timestamp;
use crate::ids::{HospitalId, LogPosition, MessageId, Participant, RoomId, Seq, UserId};
use crate::language::Language;

macro_rules! plain_schema {
    ($($name:ident => $schema:tt;)*) => {$(
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

plain_schema! {
    UserId => {"type": "string", "description": "1 to 64 characters of A-Z, a-z, 0-9, '_', '.', '-' and '~'"};
    HospitalId => {"type": "string", "description": "1 to 64 characters of A-Z, a-z, 0-9, '_', '.', '-' and '~'"};
    Participant => {"type": "string", "description": "`user:<user_id>` or `hospital:<hospital_id>`"};
    RoomId => {"type": "string", "description": "`consult:<user_id>:<hospital_id>`, `direct:<lower>:<higher>`, `room:<uuid>` or `open:<name>`"};
    MessageId => {"type": "string", "format": "uuid"};
    RoomName => {"type": "string"};
    Language => {"type": "string", "description": "a BCP 47 tag: `ko`, `ja`, `zh-Hans`"};
    Month => {"type": "string", "description": "`2026-11`"};
    Seq => {"type": "integer", "minimum": 1};
    LogPosition => {"type": "integer", "minimum": 0};
    Timestamp => {"type": "integer", "minimum": 0, "description": "milliseconds since the epoch"};
    PageSize => {"type": "integer", "minimum": 1, "maximum": 100, "default": 30};
}
