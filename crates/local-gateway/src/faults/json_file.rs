//! Reads plans and latencies from files.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::error::PlanError;

pub(super) fn read<T: DeserializeOwned>(file: &Path) -> Result<T, PlanError> {
    let text = std::fs::read(file).map_err(|problem| PlanError::File(file.to_owned(), problem))?;
    serde_json::from_slice(&text).map_err(|problem| PlanError::Json(file.to_owned(), problem))
}
