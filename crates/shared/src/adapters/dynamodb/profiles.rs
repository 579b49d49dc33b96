//! The `profiles` table: what a participant was last called and read, for when it is not connected.

use serde::{Deserialize, Serialize};

use super::{Table, TableError, key};
use crate::aws::Aws;
use crate::config::{ConfigError, TableName};
use protocol::ids::Participant;
use protocol::language::Language;

/// A participant's name and language.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Whose.
    pub participant: Participant,
    /// What they are called; a hospital's staff do not give the hospital their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What they read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

/// The door to the `profiles` table.
#[derive(Debug, Clone)]
pub struct Profiles {
    table: Table,
}

impl Profiles {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Profiles)? })
    }

    /// The profile of a participant, eventually consistent: a name that is a second old does no harm.
    pub async fn get(&self, participant: &Participant) -> Result<Option<Profile>, TableError> {
        self.table.get_as(key([("participant", participant.to_string())]), false).await
    }

    /// The profiles of many, in no order.
    pub async fn get_all(&self, participants: &[Participant]) -> Result<Vec<Profile>, TableError> {
        let keys = participants.iter().map(|participant| key([("participant", participant.to_string())]));
        self.table.batch_get(keys.collect(), false).await
    }

    /// Stores a profile.
    pub async fn put(&self, profile: &Profile) -> Result<(), TableError> {
        self.table.put(profile).await
    }
}
