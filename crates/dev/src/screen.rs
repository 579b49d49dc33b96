//! What `cargo dev` shows once everything runs: who to be, how to connect, and what to paste.

use std::path::Path;

use anstyle::{AnsiColor, Style};
use serde_json::json;

use crate::page::Page;
use crate::people::{CONSULTATION, Person};

const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const READY: Style = AnsiColor::Green.on_default().bold();

/// What to show.
#[derive(Debug)]
pub struct Ready<'a> {
    /// Where clients connect.
    pub websocket_url: &'a str,
    /// Where the page is.
    pub page: &'a Page,
    /// The patient and a token.
    pub patient: (&'a Person, String),
    /// The hospital's staff and a token.
    pub coordinator: (&'a Person, String),
    /// Whether translations come from DeepL; else they come from the stand-in.
    pub deepl: bool,
    /// Where the data is kept, if it is.
    pub data: Option<&'a Path>,
    /// The environment file for `cargo lambda`.
    pub environment_file: &'a Path,
}

impl Ready<'_> {
    /// The whole text. Its first line begins with `Damso is ready on ws://`, which scripts wait for.
    #[must_use]
    pub fn text(&self) -> String {
        let url = self.websocket_url;
        let keeping = match self.data {
            Some(folder) => format!("Data is kept in {}.", folder.display()),
            None => "Nothing is kept when it ends (--data DIR keeps it).".to_owned(),
        };
        let translating = if self.deepl {
            "DeepL translates, with your key."
        } else {
            "A phrasebook stands in for DeepL (set DEEPL_AUTH_KEY for the real one); what it does not know is marked as untranslated."
        };
        format!(
            "{READY}Damso is ready on {url}{READY:#}  {FAINT}Ctrl-C ends it. {keeping}{FAINT:#}\n\
             {FAINT}{translating}{FAINT:#}\n\n\
             {BOLD}In a browser, both sides at once:{BOLD:#} {}\n\
             {FAINT}Each by itself: {} and {}{FAINT:#}\n\n\
             {}\n{}\n\
             {FAINT}For wscat: npm install -g wscat. For `cargo lambda watch`: --env-file {}{FAINT:#}\n",
            self.page.link("/both"),
            self.page.link("/patient"),
            self.page.link("/hospital"),
            side(url, "Patient, writes Japanese", &self.patient, "頭が痛いです。"),
            side(url, "Hospital, writes Korean", &self.coordinator, "언제부터 아프셨어요?"),
            self.environment_file.display(),
        )
    }
}

/// One side: a line that connects it, and what it can say.
fn side(url: &str, label: &str, (person, token): &(&Person, String), message: &str) -> String {
    let name = person.name.as_deref().unwrap_or(&person.user_id);
    let (room, message) = (json!(CONSULTATION), json!(message));
    let say = format!(r#"{{"action":"sendMessage","room_id":{room},"message":{message}}}"#);
    let history = format!(r#"{{"action":"getChatHistory","room_id":{room}}}"#);
    format!(
        "{BOLD}{label}{BOLD:#} {FAINT}({name}); in a terminal of its own:{FAINT:#}\n\
         wscat -c {url} -H \"Authorization: Bearer {token}\"\n\
         {FAINT}and then paste:{FAINT:#}\n{say}\n{history}\n"
    )
}
