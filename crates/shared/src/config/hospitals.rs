//! The hospitals that the operator declares.

use std::collections::HashMap;

use protocol::ids::HospitalId;
use protocol::language::{Language, Languages};
use serde::Deserialize;

use super::environment::{ConfigError, invalid, optional, parsed};

/// `HOSPITALS`: a JSON list such as `[{"id":"h9","name":"Seoul Clinic","languages":["ko","en"]}]`.
#[derive(Debug, Clone)]
pub struct Hospitals {
    declared: HashMap<HospitalId, Hospital>,
    /// `HOSPITAL_LANGUAGE`: the language of hospitals that declare none.
    default_language: Language,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hospital {
    id: HospitalId,
    /// What patients see instead of its id.
    name: Option<String>,
    /// The languages that its staff read, the most important one first.
    #[serde(default)]
    languages: Vec<Language>,
}

impl Hospitals {
    pub fn read() -> Result<Self, ConfigError> {
        const NAME: &str = "HOSPITALS";
        let declared = Self::declarations(&optional(NAME).unwrap_or_default());
        Ok(Self {
            declared: declared.map_err(|error| invalid(NAME, format!("must be a JSON list of hospitals: {error}")))?,
            default_language: parsed("HOSPITAL_LANGUAGE")?,
        })
    }

    fn declarations(
        json: &str,
    ) -> Result<HashMap<HospitalId, Hospital>, serde_path_to_error::Error<serde_json::Error>> {
        if json.trim().is_empty() {
            return Ok(HashMap::new());
        }
        let read = &mut serde_json::Deserializer::from_str(json);
        let declared: Vec<Hospital> = serde_path_to_error::deserialize(read)?;
        Ok(declared.into_iter().map(|hospital| (hospital.id.clone(), hospital)).collect())
    }

    /// Whether a hospital is declared.
    pub fn contains(&self, hospital: &HospitalId) -> bool {
        self.declared.contains_key(hospital)
    }

    /// What patients see instead of a hospital's id.
    pub fn name(&self, hospital: &HospitalId) -> Option<&str> {
        self.declared.get(hospital)?.name.as_deref()
    }

    /// The language of a hospital, and further ones that it declares.
    pub fn languages(&self, hospital: &HospitalId) -> (Language, Languages) {
        let declared = self.declared.get(hospital).map(|hospital| hospital.languages.as_slice()).unwrap_or_default();
        match declared.split_first() {
            Some((first, others)) => (first.clone(), others.iter().cloned().collect()),
            None => (self.default_language.clone(), Languages::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hospitals(json: &str) -> Hospitals {
        let declared = Hospitals::declarations(json).expect("valid");
        Hospitals { declared, default_language: "ko".parse().expect("valid") }
    }

    #[test]
    fn declared_names_and_languages_are_read() {
        let hospitals = hospitals(
            r#"[{"id":"h9","name":"서울병원","languages":["ko","zh_CN","en"]},{"id":"h8","name":"부산병원"}]"#,
        );
        let read = |id: &str| {
            let id = id.parse().expect("valid");
            let (first, others) = hospitals.languages(&id);
            (hospitals.name(&id).map(str::to_owned), format!("{first} | {others}"))
        };
        assert_eq!(read("h9"), (Some("서울병원".to_owned()), "ko | zh-CN en".to_owned()));
        assert_eq!(read("h8"), (Some("부산병원".to_owned()), "ko | ".to_owned()));
        assert_eq!(read("h7"), (None, "ko | ".to_owned()));
    }

    #[test]
    fn invalid_declarations_are_refused() {
        for json in ["{}", r#"[{"name":"no id"}]"#, r#"[{"id":"h 9"}]"#, r#"[{"id":"h9","languages":["Korean"]}]"#] {
            assert!(Hospitals::declarations(json).is_err(), "{json}");
        }
        assert!(Hospitals::declarations(" ").expect("empty").is_empty());
    }
}
