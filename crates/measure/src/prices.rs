//! The price list, one data file.

use serde::Deserialize;

/// What things cost in one region, without free tiers.
#[derive(Debug, Clone, Deserialize)]
pub struct Prices {
    /// Where.
    pub region: String,
    /// When somebody looked: year and month.
    pub asked: String,
    /// A message over a WebSocket, per 32 KB begun.
    pub websocket_message: Price,
    /// An invocation.
    pub lambda_request: Price,
    /// A gigabyte of memory for a second.
    pub lambda_gigabyte_second: Price,
    /// A write request unit.
    pub dynamodb_write_unit: Price,
    /// A read request unit.
    pub dynamodb_read_unit: Price,
    /// A character that is translated.
    pub deepl_character: Price,
}

/// A price, and who says so.
#[derive(Debug, Clone, Deserialize)]
pub struct Price {
    /// In US dollars.
    pub dollars: f64,
    /// For so many.
    pub per: f64,
    /// Where it is published.
    pub source: String,
}

impl Prices {
    /// Reads `prices.json`, which is built in.
    ///
    /// # Errors
    ///
    /// Where the file is not as it should be; a test reads it too.
    pub fn read() -> Result<Self, serde_json::Error> {
        serde_json::from_str(include_str!("../prices.json"))
    }
}

impl Price {
    /// What so many cost, in dollars.
    #[must_use]
    pub fn of(&self, amount: f64) -> f64 {
        self.dollars * amount / self.per
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_price_list_can_be_read_and_names_its_sources() {
        let prices = Prices::read().unwrap();
        assert!(prices.websocket_message.source.starts_with("https://"));
        assert!((prices.dynamodb_write_unit.of(4_000_000.0) - 2.5).abs() < 1e-9);
    }
}
