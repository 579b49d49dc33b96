//! The price list, `prices.json`.

use serde::Deserialize;

/// Prices in one region, without free tiers.
#[derive(Debug, Clone, Deserialize)]
pub struct Prices {
    pub region: String,
    /// The month in which the prices were looked up.
    pub as_of: String,
    /// Per message over a WebSocket API, for each 32 KB or part of that.
    pub websocket_message: Price,
    /// Per invocation.
    pub lambda_request: Price,
    /// Per gigabyte of memory and second.
    pub lambda_gigabyte_second: Price,
    pub dynamodb_write_unit: Price,
    pub dynamodb_read_unit: Price,
    /// Per translated character.
    pub deepl_character: Price,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Price {
    /// US dollars.
    pub dollars: f64,
    /// The quantity that costs this.
    pub per: f64,
    /// Where the price is published.
    pub source: String,
}

impl Prices {
    /// Reads `prices.json`, which is part of the binary.
    ///
    /// # Errors
    ///
    /// When the file does not have the fields of [`Prices`].
    pub fn read() -> Result<Self, serde_json::Error> {
        serde_json::from_str(include_str!("../prices.json"))
    }
}

impl Price {
    /// The price of an amount in dollars.
    #[must_use]
    pub fn of(&self, amount: f64) -> f64 {
        self.dollars * amount / self.per
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn price_list_names_its_sources() {
        let prices = Prices::read().unwrap();
        assert!(prices.websocket_message.source.starts_with("https://"));
        assert!((prices.dynamodb_write_unit.of(4_000_000.0) - 2.5).abs() < 1e-9);
    }
}
