//! Secrets Manager as far as functions use it: `GetSecretValue` for the template's secrets, by ARN or name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rand::RngExt;
use rand::seq::SliceRandom;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::dynamodb::ApiError;
use sam_template::{GenerateSecretString, Secret, Template};

/// The characters that Secrets Manager counts as punctuation.
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// The template's secrets and their values. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    secrets: Vec<(Secret, Versions)>,
}

/// The versions of a secret that have a staging label.
#[derive(Debug, Clone, Default)]
struct Versions(Arc<Mutex<BTreeMap<&'static str, Version>>>);

#[derive(Debug, Clone)]
struct Version {
    id: Uuid,
    value: String,
    /// Seconds since the epoch.
    created: u64,
}

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

impl Versions {
    /// A value that was stored long ago, or no version at all.
    fn of(value: Option<String>) -> Versions {
        let version = value.map(|value| (CURRENT, Version { id: Uuid::nil(), value, created: 1_767_225_600 }));
        Versions(Arc::new(Mutex::new(version.into_iter().collect())))
    }

    fn get(&self, stage: &str) -> Option<Version> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(stage).cloned()
    }

    /// Adds a value; the one before keeps a label, and the one before that loses it.
    fn put(&self, value: String) {
        let mut versions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let created = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if let Some(before) = versions.insert(CURRENT, Version { id: Uuid::new_v4(), value, created }) {
            versions.insert(PREVIOUS, before);
        }
    }
}

/// Why the secrets cannot be read or generated.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// A value was given for a secret that is not in the template.
    #[error("the template has no secret `{0}`")]
    Unknown(String),
    /// `GenerateSecretString` is impossible.
    #[error("Resources.{secret}.Properties.GenerateSecretString: {problem}")]
    Impossible {
        /// The logical id of the secret.
        secret: String,
        /// The cause.
        problem: &'static str,
    },
    /// The file with the generated values cannot be read or written.
    #[error("failed to store the generated secrets in {}: {_1}", _0.display())]
    File(PathBuf, std::io::Error),
}

impl Secrets {
    /// Uses the values given by logical id, or else the template's `SecretString`, or else a value generated according
    /// to `GenerateSecretString`. With a folder, generated values are stored in its `secrets.json`, so that tokens stay
    /// valid across restarts.
    ///
    /// A secret with neither a value nor `GenerateSecretString` exists without a value.
    ///
    /// # Errors
    ///
    /// See [`SecretsError`].
    pub fn of(
        template: &Template,
        given: &BTreeMap<String, String>,
        data: Option<&Path>,
    ) -> Result<Secrets, SecretsError> {
        if let Some(unknown) = given.keys().find(|id| !template.secrets.contains_key(*id)) {
            return Err(SecretsError::Unknown(unknown.clone()));
        }
        let file = data.map(|folder| folder.join("secrets.json"));
        let mut generated = match &file {
            Some(file) => read(file).map_err(|error| SecretsError::File(file.clone(), error))?,
            None => BTreeMap::new(),
        };
        let before = generated.len();
        let mut secrets = Vec::new();
        for (id, secret) in &template.secrets {
            let value = match (given.get(id), &secret.value, &secret.generate) {
                (Some(given), ..) => Some(given.clone()),
                (None, Some(value), _) => Some(value.clone()),
                (None, None, None) => None,
                (None, None, Some(settings)) => {
                    if !generated.contains_key(id) {
                        let value = generate(settings)
                            .map_err(|problem| SecretsError::Impossible { secret: id.clone(), problem })?;
                        generated.insert(id.clone(), value);
                    }
                    generated.get(id).cloned()
                }
            };
            secrets.push((secret.clone(), Versions::of(value)));
        }
        if let Some(file) = file.filter(|_| generated.len() > before) {
            write(&file, &generated).map_err(|error| SecretsError::File(file.clone(), error))?;
        }
        Ok(Secrets { secrets })
    }

    /// The current value of a secret by its logical id.
    pub fn value(&self, logical_id: &str) -> Option<String> {
        Some(self.versions(logical_id)?.get(CURRENT)?.value)
    }

    /// Replaces the value of a secret, as `PutSecretValue` does; the one before is its previous version from now on.
    ///
    /// # Errors
    ///
    /// [`SecretsError::Unknown`]
    pub fn put(&self, logical_id: &str, value: String) -> Result<(), SecretsError> {
        let versions = self.versions(logical_id).ok_or_else(|| SecretsError::Unknown(logical_id.to_owned()))?;
        versions.put(value);
        Ok(())
    }

    fn versions(&self, logical_id: &str) -> Option<&Versions> {
        self.secrets.iter().find(|(secret, _)| secret.logical_id == logical_id).map(|(_, versions)| versions)
    }

    /// The secret with an ARN or a name.
    pub fn find(&self, name_or_arn: &str) -> Option<&Secret> {
        self.entry(name_or_arn).map(|(secret, _)| secret)
    }

    /// Performs an operation of Secrets Manager.
    ///
    /// # Errors
    ///
    /// `ResourceNotFoundException` if the secret or that version of it does not exist, `UnknownOperationException` for
    /// other operations than `GetSecretValue`.
    pub fn call(&self, operation: &str, request: &Value) -> Result<Value, ApiError> {
        if operation != "GetSecretValue" {
            return Err(ApiError::unknown_operation());
        }
        let Some(id) = request["SecretId"].as_str() else {
            return Err(ApiError::new(400, "InvalidParameterException", "SecretId is required."));
        };
        let missing = |message: &str| Err(ApiError::new(400, "ResourceNotFoundException", message));
        let Some((secret, versions)) = self.entry(id) else {
            return missing("Secrets Manager can't find the specified secret.");
        };
        let stage = request["VersionStage"].as_str().unwrap_or(CURRENT);
        let Some(version) = versions.get(stage) else {
            let message = "Secrets Manager can't find the specified secret value for staging label: ";
            return missing(&format!("{message}{stage}"));
        };
        Ok(json!({
            "ARN": secret.arn,
            "Name": secret.name,
            "SecretString": version.value,
            "VersionId": version.id.to_string(),
            "VersionStages": [stage],
            "CreatedDate": version.created,
        }))
    }

    fn entry(&self, name_or_arn: &str) -> Option<&(Secret, Versions)> {
        self.secrets.iter().find(|(secret, _)| secret.arn == name_or_arn || secret.name == name_or_arn)
    }
}

fn generate(settings: &GenerateSecretString) -> Result<String, &'static str> {
    let allowed = |letters: &mut dyn Iterator<Item = char>, excluded: bool| -> Vec<char> {
        if excluded {
            Vec::new()
        } else {
            letters.filter(|letter| !settings.exclude_characters.contains(*letter)).collect()
        }
    };
    let kinds = [
        allowed(&mut ('a'..='z'), settings.exclude_lowercase),
        allowed(&mut ('A'..='Z'), settings.exclude_uppercase),
        allowed(&mut ('0'..='9'), settings.exclude_numbers),
        allowed(&mut PUNCTUATION.chars(), settings.exclude_punctuation),
        allowed(&mut " ".chars(), !settings.include_space),
    ];
    let kinds: Vec<Vec<char>> = kinds.into_iter().filter(|kind| !kind.is_empty()).collect();
    let all: Vec<char> = kinds.concat();
    if all.is_empty() {
        return Err("every character is excluded");
    }
    let mut random = rand::rng();
    let mut password: Vec<char> = Vec::with_capacity(settings.length);
    if settings.require_each_included_type {
        if kinds.len() > settings.length {
            return Err("`PasswordLength` is too short for one character of each included type");
        }
        password.extend(kinds.iter().map(|kind| kind[random.random_range(0..kind.len())]));
    }
    while password.len() < settings.length {
        password.push(all[random.random_range(0..all.len())]);
    }
    password.shuffle(&mut random);
    let password: String = password.into_iter().collect();
    match &settings.json {
        None => Ok(password),
        Some((template, key)) => match serde_json::from_str::<Value>(template) {
            Ok(Value::Object(mut object)) => {
                object.insert(key.clone(), password.into());
                Ok(Value::Object(object).to_string())
            }
            _ => Err("`SecretStringTemplate` is not a JSON object"),
        },
    }
}

fn read(file: &Path) -> std::io::Result<BTreeMap<String, String>> {
    match std::fs::read(file) {
        Ok(text) => serde_json::from_slice(&text).map_err(std::io::Error::other),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

fn write(file: &Path, values: &BTreeMap<String, String>) -> std::io::Result<()> {
    use std::io::Write as _;

    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(&serde_json::to_vec_pretty(values)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sam_template::StackContext;

    const TEMPLATE: &str = "
Resources:
  Key:
    Type: AWS::SecretsManager::Secret
    Properties: {GenerateSecretString: {PasswordLength: 64, ExcludePunctuation: true}}
  Login:
    Type: AWS::SecretsManager::Secret
    Properties: {GenerateSecretString: {SecretStringTemplate: '{\"user\": \"u\"}', GenerateStringKey: password}}
  Fixed: {Type: AWS::SecretsManager::Secret, Properties: {Name: fixed, SecretString: known}}
  Later: {Type: AWS::SecretsManager::Secret, Properties: {Description: a person fills this in}}
";

    fn template() -> Template {
        Template::parse(TEMPLATE, StackContext::local("demo"), &BTreeMap::new()).unwrap()
    }

    #[test]
    fn secrets_are_found_by_arn_and_name() {
        let given = [("Later".to_owned(), "given".to_owned())].into();
        let secrets = Secrets::of(&template(), &given, None).unwrap();
        let get = |id: &str| secrets.call("GetSecretValue", &json!({ "SecretId": id }));
        assert_eq!(get("fixed").unwrap()["SecretString"], "known");
        assert_eq!(get(&template().secrets["Fixed"].arn).unwrap()["SecretString"], "known");
        assert_eq!(get("demo-Later").unwrap()["SecretString"], "given");
        assert_eq!(get("demo-Nothing").unwrap_err().code(), "ResourceNotFoundException");
        assert_eq!(secrets.call("PutSecretValue", &json!({})).unwrap_err().code(), "UnknownOperationException");
    }

    #[test]
    fn secrets_without_value_are_not_found() {
        let secrets = Secrets::of(&template(), &BTreeMap::new(), None).unwrap();
        let error = secrets.call("GetSecretValue", &json!({ "SecretId": "demo-Later" })).unwrap_err();
        assert_eq!((error.status, error.code()), (400, "ResourceNotFoundException"));
    }

    #[test]
    fn replaced_value_becomes_the_previous_version() {
        let secrets = Secrets::of(&template(), &BTreeMap::new(), None).unwrap();
        let get = |stage: &str| secrets.call("GetSecretValue", &json!({ "SecretId": "fixed", "VersionStage": stage }));
        assert_eq!(get("AWSPREVIOUS").unwrap_err().code(), "ResourceNotFoundException");
        for (value, previous) in [("second", "known"), ("third", "second")] {
            secrets.put("Fixed", value.to_owned()).unwrap();
            assert_eq!(get("AWSCURRENT").unwrap()["SecretString"], value);
            assert_eq!(get("AWSPREVIOUS").unwrap()["SecretString"], previous);
        }
        assert_ne!(get("AWSCURRENT").unwrap()["VersionId"], get("AWSPREVIOUS").unwrap()["VersionId"]);
        assert_eq!(
            secrets.put("Nothing", String::new()).unwrap_err().to_string(),
            "the template has no secret `Nothing`"
        );
    }

    #[test]
    fn generated_secrets_follow_the_template() {
        let secrets = Secrets::of(&template(), &BTreeMap::new(), None).unwrap();
        let key = secrets.value("Key").unwrap();
        assert_eq!(key.len(), 64);
        assert!(key.chars().all(|letter| letter.is_ascii_alphanumeric()), "{key}");
        for kind in [char::is_lowercase, char::is_uppercase, char::is_numeric] {
            assert!(key.contains(kind), "{key}");
        }
        let login: Value = serde_json::from_str(&secrets.value("Login").unwrap()).unwrap();
        assert_eq!(login["user"], "u");
        assert_eq!(login["password"].as_str().unwrap().chars().count(), 32);
        let other = Secrets::of(&template(), &BTreeMap::new(), None).unwrap();
        assert_ne!(other.value("Key"), Some(key));
    }

    #[test]
    fn generated_secrets_are_stored() {
        let folder = tempfile::tempdir().unwrap();
        let of = || Secrets::of(&template(), &BTreeMap::new(), Some(folder.path())).unwrap();
        assert_eq!(of().value("Key"), of().value("Key"));
    }

    #[test]
    fn impossible_secrets_are_errors() {
        let given = [("Kee".to_owned(), "x".to_owned())].into();
        let error = Secrets::of(&template(), &given, None).unwrap_err();
        assert_eq!(error.to_string(), "the template has no secret `Kee`");
        let source = "
Resources:
  Key: {Type: AWS::SecretsManager::Secret, Properties: {GenerateSecretString: {PasswordLength: 2}}}
";
        let template = Template::parse(source, StackContext::local("demo"), &BTreeMap::new()).unwrap();
        let error = Secrets::of(&template, &BTreeMap::new(), None).unwrap_err().to_string();
        assert_eq!(
            error,
            "Resources.Key.Properties.GenerateSecretString: `PasswordLength` is too short for one character of each \
             included type"
        );
    }
}
