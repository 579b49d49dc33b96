//! Every kind of fault, by the name that it has in a plan.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! kinds {
    ($($(#[$documentation:meta])+ $kind:ident = $name:literal,)+) => {
        /// A kind of fault. Its name is its place in a plan: `dynamodb.throttled`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$documentation])+ $kind,)+
        }

        impl Kind {
            /// All of them.
            pub const ALL: [Kind; [$($name),+].len()] = [$(Kind::$kind),+];

            /// Its place in a plan.
            pub fn name(self) -> &'static str {
                match self {
                    $(Kind::$kind => $name,)+
                }
            }
        }
    };
}

kinds! {
    /// A call is refused for its capacity; nothing is applied.
    DynamoDbThrottled = "dynamodb.throttled",
    /// A call is answered 500; nothing is applied.
    DynamoDbFailedBefore = "dynamodb.failed_before",
    /// A call is applied and answered 500.
    DynamoDbFailedAfter = "dynamodb.failed_after",
    /// A call is applied and its connection cut instead of an answer.
    DynamoDbCutAfter = "dynamodb.cut_after",
    /// A call is applied, and its connection stands open without an answer.
    DynamoDbNeverAnswered = "dynamodb.never_answered",
    /// A call waits before it is performed.
    DynamoDbSlow = "dynamodb.slow",
    /// A transaction is cancelled because another one is in its way; nothing is applied.
    DynamoDbConflict = "dynamodb.conflict",
    /// A single write is refused because a transaction is in its way; nothing is applied.
    DynamoDbWriteConflict = "dynamodb.write_conflict",
    /// A process is killed in the middle of an invocation.
    LambdaKilled = "lambda.killed",
    /// An invocation's answer is withheld until it has timed out.
    LambdaTimeout = "lambda.timeout",
    /// An idle process is replaced by a fresh one.
    LambdaCold = "lambda.cold",
    /// An idle process is left alone, and a further one started beside it.
    LambdaCrowd = "lambda.crowd",
    /// A batch is delivered once more, later.
    StreamDoubled = "streams.doubled",
    /// A part of a batch is delivered once more, later.
    StreamSplit = "streams.split",
    /// A batch waits before it is delivered.
    StreamLate = "streams.late",
    /// A batch is handed to two invocations at once, a part each.
    StreamParallel = "streams.parallel",
    /// A push is answered 410 although the connection is open.
    PushGone = "pushes.gone",
    /// A push is answered 429.
    PushThrottled = "pushes.throttled",
    /// A push is answered 500, and nothing is sent.
    PushFailed = "pushes.failed",
    /// No push to a connection is ever sent or answered. Decided once per connection, at the first push to it.
    PushHung = "pushes.hung",
    /// A push waits before it is sent.
    PushSlow = "pushes.slow",
    /// A push is sent, and answered 500 or not at all.
    PushLostAnswer = "pushes.lost_answer",
    /// A connection is dropped without a closing frame, at a message of either direction.
    ConnectionCut = "connections.cut",
    /// `$disconnect` never runs.
    DisconnectNever = "connections.disconnect_never",
    /// `$disconnect` runs some time after the connection's end.
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
