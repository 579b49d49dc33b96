//! Percentiles of durations.

use std::time::Duration;

/// The smallest duration that at least `percent` of the durations do not exceed (nearest rank).
#[must_use]
pub fn percentile(durations: &[Duration], percent: usize) -> Option<Duration> {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// Formats a duration in milliseconds for a table.
#[must_use]
pub fn milliseconds(duration: Option<Duration>) -> String {
    match duration {
        None => "–".to_owned(),
        Some(duration) if duration < Duration::from_millis(10) => format!("{:.1}", duration.as_secs_f64() * 1000.0),
        Some(duration) => format!("{:.0}", duration.as_secs_f64() * 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_uses_nearest_rank() {
        let durations: Vec<_> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&durations, 50), Some(Duration::from_millis(50)));
        assert_eq!(percentile(&durations, 99), Some(Duration::from_millis(99)));
        assert_eq!(percentile(&[], 50), None);
    }
}
