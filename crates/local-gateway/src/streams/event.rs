//! Stream records as Lambda passes them to functions.

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::dynamodb::StreamRecord;

/// dynoxide's offset: it gives sequence numbers 21 digits, as in DynamoDB.
const SEQUENCE_NUMBER_OFFSET: u128 = 100_000_000_000_000_000_000;

/// A record on its way to a function.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// The number in the stream.
    pub(super) number: i64,
    /// Seconds since the epoch.
    pub(super) created_at: i64,
    /// The record as the function gets it.
    pub(super) event: Value,
    /// The length of the event as JSON in bytes.
    pub(super) size: usize,
}

/// What the records of one stream have in common.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) region: String,
    pub(super) stream_arn: String,
    pub(super) view_type: String,
}

/// The `SequenceNumber` of a record.
pub(super) fn sequence_number(number: i64) -> String {
    (SEQUENCE_NUMBER_OFFSET + u128::try_from(number).unwrap_or_default()).to_string()
}

impl Record {
    pub(super) fn of(record: StreamRecord, source: &Source) -> Record {
        let mut change = json!({
            "ApproximateCreationDateTime": record.created_at,
            "Keys": record.keys,
            "SequenceNumber": sequence_number(record.number),
            "SizeBytes": record.size,
            "StreamViewType": source.view_type,
        });
        for (name, image) in [("NewImage", record.new_image), ("OldImage", record.old_image)] {
            if let Some(image) = image {
                change[name] = image;
            }
        }
        let mut event = json!({
            "eventID": record.event_id,
            "eventName": record.event_name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": source.region,
            "dynamodb": change,
            "eventSourceARN": source.stream_arn,
        });
        if let Some(identity) = record.user_identity {
            event["userIdentity"] = identity;
        }
        let size = event.to_string().len();
        Record { number: record.number, created_at: record.created_at, event, size }
    }
}

/// The event of a batch as JSON.
pub(super) fn batch(records: &[Record]) -> Bytes {
    let records: Vec<&Value> = records.iter().map(|record| &record.event).collect();
    Bytes::from(json!({ "Records": records }).to_string())
}
