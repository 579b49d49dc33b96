//! The `profiles` table: the last known name and language of users, for when they are not connected, and which
//! hospitals there are: those of which staff have connected.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::{Table, TableError, key};
use crate::aws::Aws;
use crate::config::{ConfigError, TableName};
use protocol::ids::Participant;
use protocol::language::Language;

/// A participant's name and language.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub participant: Participant,
    /// A user's name. Absent for hospitals, which do not take the names of their staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What a user reads. Absent for hospitals, which declare their languages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The language in the token with which the user connected last. A language chosen by `setLanguage` stays until
    /// another one comes in a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_language: Option<Language>,
}

#[derive(Debug, Clone)]
pub struct Profiles {
    table: Table,
}

impl Profiles {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Profiles)? })
    }

    /// Reads a profile that does not matter, to open the connection to DynamoDB during INIT.
    pub async fn warm_up(&self) {
        let _ = self.table.get::<Profile>(key([("participant", "-".to_owned())])).await;
    }

    /// Records that somebody has connected, or has a fresh token, with this name and language. Returns the profile as
    /// it is now. Many staff speak as one hospital, whose profile takes nothing from them.
    pub async fn record(
        &self,
        participant: &Participant,
        name: Option<&str>,
        language: Option<&Language>,
    ) -> Result<Profile, TableError> {
        let known: Option<Profile> = self.table.get(key([("participant", participant.to_string())])).await?;
        let mut profile =
            Profile { participant: participant.clone(), name: None, language: None, token_language: None };
        if !participant.is_hospital() {
            let known = known.clone().unwrap_or_else(|| profile.clone());
            profile.name = name.map(str::to_owned);
            profile.token_language = language.cloned().or_else(|| known.token_language.clone());
            let has_changed = profile.token_language != known.token_language;
            profile.language = if has_changed { language.cloned() } else { known.language };
        }
        if known.as_ref() != Some(&profile) {
            self.table.put(&profile).await?;
        }
        Ok(profile)
    }

    /// Several profiles, in no particular order.
    pub async fn get_all(&self, participants: &[Participant]) -> Result<Vec<Profile>, TableError> {
        let keys = participants.iter().map(|participant| key([("participant", participant.to_string())]));
        self.table.batch_get(keys.collect(), false).await
    }

    /// Stores the language that a user has chosen.
    pub async fn set_language(&self, user: &Participant, language: &Language) -> Result<(), TableError> {
        let call = self.table.client.update_item().table_name(&self.table.name);
        let call = call
            .set_key(Some(key([("participant", user.to_string())])))
            .update_expression("SET #language = :language")
            .expression_attribute_names("#language", "language")
            .expression_attribute_values(":language", AttributeValue::S(language.to_string()));
        self.table.update(call).await.map(|_| ())
    }
}
