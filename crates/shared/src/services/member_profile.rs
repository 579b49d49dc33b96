//! What a room knows of its members: their names, and the languages that messages are translated into. Both follow the
//! people when they open the room.

use futures::{StreamExt, TryStreamExt, stream};

use crate::adapters::dynamodb::{Log, Members, Rooms, TableError};
use crate::aws::Aws;
use crate::config::{ConfigError, Hospitals};
use protocol::chat::{Entry, EntryKind, Member, Room, RoomKind};
use protocol::ids::{Participant, Seq};
use protocol::language::{Language, Languages};

/// How often the languages of a room are written while others change them too.
const MAX_ATTEMPTS: usize = 5;
/// The entries that are translated for somebody who opens a room and reads another language: a page.
const RECENT_ENTRIES: u16 = 30;
const MAX_CONCURRENCY: usize = 8;

#[derive(Debug, Clone)]
pub struct MemberProfiles {
    pub rooms: Rooms,
    pub members: Members,
    pub log: Log,
    pub hospitals: Hospitals,
}

impl MemberProfiles {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            rooms: Rooms::open(aws)?,
            members: Members::open(aws)?,
            log: Log::open(aws)?,
            hospitals: Hospitals::read()?,
        })
    }

    /// Sets the name and the languages of a member for whom somebody of this name, who reads this language, opens the
    /// room. A hospital has the name and languages that are declared for it; what its staff read comes after these.
    pub fn describe(&self, member: &mut Member, name: Option<&str>, language: Option<&Language>) {
        match &member.participant {
            Participant::User(_) => {
                member.name = name.map(str::to_owned).or(member.name.take());
                member.language = language.cloned().or(member.language.take());
            }
            Participant::Hospital(hospital) => {
                let (first, declared) = self.hospitals.languages(hospital);
                member.name = self.hospitals.name(hospital).map(str::to_owned).or(member.name.take());
                member.other_languages =
                    others(&first, declared.iter().chain(member.other_languages.iter()).chain(language));
                member.language = Some(first);
            }
        }
    }

    /// Lets a room follow a member who opens it, see [`Self::describe`]. Returns the room and the member as they are
    /// now, and whether anything has changed.
    pub async fn follow(
        &self,
        room: Room,
        own: Member,
        name: Option<&str>,
        language: Option<&Language>,
    ) -> Result<(Room, Member, bool), TableError> {
        let mut current = own.clone();
        self.describe(&mut current, name, language);
        let described =
            |member: &Member| (member.name.clone(), member.language.clone(), member.other_languages.clone());
        let is_in_room = |language: &Language| room.languages.iter().any(|other| other.reads_like(language));
        let is_described = described(&current) == described(&own);
        // The room may still lack the language if it could not be written last time. An open room is not translated
        // automatically, and has too many members to show them.
        if room.kind == RoomKind::Open || (is_described && current.language.as_ref().is_none_or(is_in_room)) {
            return Ok((room, own, false));
        }
        if !is_described {
            self.members.set_profile(&current).await?;
        }
        Ok((self.update_languages(room).await?, current, true))
    }

    /// Makes the languages of a room those of its members.
    async fn update_languages(&self, mut room: Room) -> Result<Room, TableError> {
        for _ in 0..MAX_ATTEMPTS {
            let members = self.members.of_room(&room.room_id).await?;
            let languages = Room::languages_of(room.kind, &members);
            if languages == room.languages {
                return Ok(room);
            }
            if self.rooms.set_languages(&room, &languages).await? {
                let known = std::mem::replace(&mut room.languages, languages);
                let is_new = |language: &&Language| !known.iter().any(|other| other.reads_like(language));
                let added: Vec<Language> = room.languages.iter().filter(is_new).cloned().collect();
                self.translate_recent(&room, &added).await?;
                return Ok(room);
            }
            match self.rooms.get(&room.room_id).await? {
                Some(current) => room = current,
                None => return Ok(room),
            }
        }
        Ok(room)
    }

    /// Asks for translations of what was said before anybody in the room read these languages.
    async fn translate_recent(&self, room: &Room, added: &[Language]) -> Result<(), TableError> {
        if added.is_empty() {
            return Ok(());
        }
        let recent = self.log.before(&room.room_id, Seq::LAST, RECENT_ENTRIES).await?;
        let lacking = recent.iter().filter_map(|entry| Some((entry, lacking_languages(room, entry, added)?)));
        stream::iter(lacking)
            .map(Ok)
            .try_for_each_concurrent(MAX_CONCURRENCY, async |(entry, languages)| {
                self.log.also_translate(entry, &languages).await
            })
            .await
    }
}

/// The languages, without equivalent ones, that a hospital has besides its first one.
fn others<'a>(first: &'a Language, languages: impl Iterator<Item = &'a Language>) -> Languages {
    /// More than a consult translates into.
    const MAX_OTHERS: usize = 4;
    let mut others: Vec<&Language> = Vec::new();
    for language in languages {
        if others.len() < MAX_OTHERS && !others.iter().chain([&first]).any(|other| other.reads_like(language)) {
            others.push(language);
        }
    }
    others.into_iter().cloned().collect()
}

/// Those of `added` that a text is to be translated into now. What was written while translation was off is never sent.
fn lacking_languages(room: &Room, entry: &Entry, added: &[Language]) -> Option<Languages> {
    if entry.kind != EntryKind::Text
        || entry.deleted_at.is_some()
        || (room.kind == RoomKind::Consult && !entry.was_meant_to_be_translated())
        || !masking::has_words(&entry.message)
    {
        return None;
    }
    let targets = room.automatic_targets(entry.language.as_ref());
    let lacks = |language: &&Language| {
        added.contains(language) && !entry.translations.keys().any(|existing| existing.reads_like(language))
    };
    let languages: Languages = targets.iter().filter(lacks).cloned().collect();
    (!languages.is_empty()).then_some(languages)
}
