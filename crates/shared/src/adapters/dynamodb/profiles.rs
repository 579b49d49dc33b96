//! The `profiles` table: the last known name and language of participants, for when they are not connected.

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

#[derive(Debug, Clone)]
pub struct Profiles {
    table: Table,
}

impl Profiles {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Profiles)? })
    }

    /// A participant's profile, eventually consistent because a slightly outdated name does no harm.
    pub async fn get(&self, participant: &Participant) -> Result<Option<Profile>, TableError> {
        self.table.get_as(key([("participant", participant.to_string())]), false).await
    }

    /// Several profiles, in no particular order.
    pub async fn get_all(&self, participants: &[Participant]) -> Result<Vec<Profile>, TableError> {
        let keys = participants.iter().map(|participant| key([("participant", participant.to_string())]));
        self.table.batch_get(keys.collect(), false).await
    }

    pub async fn put(&self, profile: &Profile) -> Result<(), TableError> {
        self.table.put(profile).await
    }
}
