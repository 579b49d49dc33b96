//! The kinds of faults, by their names in a plan.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! kinds {
    ($($(#[$documentation:meta])+ $kind:ident = $name:literal,)+) => {
        /// A kind of fault. Its name is its path in a plan, for example `dynamodb.throttled`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$documentation])+ $kind,)+
        }

        impl Kind {
            /// All kinds.
            pub const ALL: [Kind; [$($name),+].len()] = [$(Kind::$kind),+];

            /// The path in a plan.
            pub fn name(self) -> &'static str {
                match self {
                    $(Kind::$kind => $name,)+
                }
            }
        }
    };
}

kinds! {
    /// A call is throttled; nothing is applied.
    DynamoDbThrottled = "dynamodb.throttled",
    /// A call gets 500; nothing is applied.
    DynamoDbFailedBefore = "dynamodb.failed_before",
    /// A call is applied, but gets 500.
    DynamoDbFailedAfter = "dynamodb.failed_after",
    /// A call is applied, but its connection is aborted instead of a response.
    DynamoDbCutAfter = "dynamodb.cut_after",
    /// A call is applied, but never answered; the connection stays open.
    DynamoDbNeverAnswered = "dynamodb.never_answered",
    /// A call is delayed before it is performed.
    DynamoDbSlow = "dynamodb.slow",
    /// A transaction is cancelled because it conflicts with another one; nothing is applied.
    DynamoDbConflict = "dynamodb.conflict",
    /// A single write is rejected because it conflicts with a transaction; nothing is applied.
    DynamoDbWriteConflict = "dynamodb.write_conflict",
    /// A process is killed in the middle of an invocation.
    LambdaKilled = "lambda.killed",
    /// An invocation's response is withheld until it has timed out.
    LambdaTimeout = "lambda.timeout",
    /// An idle process is replaced by a fresh one.
    LambdaCold = "lambda.cold",
    /// An idle process is ignored, and another one started.
    LambdaCrowd = "lambda.crowd",
    /// A batch is delivered again, later.
    StreamDoubled = "streams.doubled",
    /// A part of a batch is delivered again, later.
    StreamSplit = "streams.split",
    /// A batch is delayed before it is delivered.
    StreamLate = "streams.late",
    /// A batch is delivered in two parts to concurrent invocations.
    StreamParallel = "streams.parallel",
    /// A push gets 410 although the connection is open.
    PushGone = "pushes.gone",
    /// A push gets 429.
    PushThrottled = "pushes.throttled",
    /// A push gets 500, and nothing is sent.
    PushFailed = "pushes.failed",
    /// No push to a connection is ever sent or answered. Decided once per connection, at the first push.
    PushHung = "pushes.hung",
    /// A push is delayed before it is sent.
    PushSlow = "pushes.slow",
    /// A push is sent, but gets 500 or no response.
    PushLostAnswer = "pushes.lost_answer",
    /// A connection is dropped without a close frame, at a message in either direction.
    ConnectionCut = "connections.cut",
    /// `$disconnect` never runs.
    DisconnectNever = "connections.disconnect_never",
    /// `$disconnect` runs some time after the end of the connection.
    DisconnectLate = "connections.disconnect_late",
    /// `$disconnect` runs twice.
    DisconnectTwice = "connections.disconnect_twice",
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
