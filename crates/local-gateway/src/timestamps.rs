//! Times in the formats of AWS.

use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// Milliseconds since the epoch, for `connectedAt` and `requestTimeEpoch`.
pub fn milliseconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// For `requestTime`: `20/Nov/2026:10:00:00 +0000`.
pub fn request_time(at: SystemTime) -> String {
    formatted(at, format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000"))
}

/// For the management API: `2026-11-20T10:00:00.123Z`.
pub fn rfc3339(at: SystemTime) -> String {
    formatted(at, format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"))
}

/// As in the name of a log stream: `2026/11/20`.
pub fn log_date(at: SystemTime) -> String {
    formatted(at, format_description!("[year]/[month]/[day]"))
}

#[expect(clippy::expect_used, reason = "a date and time has all the parts that the formats name")]
fn formatted(at: SystemTime, format: &[BorrowedFormatItem<'_>]) -> String {
    OffsetDateTime::from(at).format(format).expect("a complete date and time")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_have_awss_formats() {
        let at = UNIX_EPOCH + Duration::from_millis(1_795_168_800_045);
        assert_eq!(request_time(at), "20/Nov/2026:10:00:00 +0000");
        assert_eq!(rfc3339(at), "2026-11-20T10:00:00.045Z");
        assert_eq!(log_date(at), "2026/11/20");
        assert_eq!(milliseconds(at), 1_795_168_800_045);
    }
}
