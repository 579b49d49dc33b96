//! The screen that `cargo dev` prints once everything runs: links, commands and frames to paste.

use std::fmt;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use serde_json::json;
use testkit::people::{CONSULTATION, Person};

use crate::page::Page;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const READY: Style = AnsiColor::Green.on_default().bold();

/// One side of the demo consultation.
pub struct Side {
    pub person: Person,
    pub token: String,
}

pub struct ReadyScreen<'a> {
    pub websocket_url: &'a str,
    pub page: &'a Page,
    pub patient: &'a Side,
    pub coordinator: &'a Side,
    /// Whether translations come from DeepL; otherwise they come from the stub's phrasebook.
    pub deepl: bool,
    /// The folder that keeps the data, if there is one.
    pub data: Option<&'a Path>,
    pub environment_file: &'a Path,
}

/// The first line begins with `Damso is ready on ws://`, which scripts wait for.
impl fmt::Display for ReadyScreen<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.websocket_url;
        writeln!(formatter, "{READY}Damso is ready on {url}{READY:#}  {DIM}Press Ctrl-C to stop.{DIM:#}")?;
        match self.data {
            Some(folder) => writeln!(formatter, "{DIM}Data is kept in {}.{DIM:#}", folder.display())?,
            None => writeln!(formatter, "{DIM}Data is discarded on exit; use --data DIR to keep it.{DIM:#}")?,
        }
        if self.deepl {
            writeln!(formatter, "{DIM}DeepL translates, with your key.{DIM:#}")?;
        } else {
            writeln!(
                formatter,
                "{DIM}A phrasebook translates and marks other sentences as untranslated; set DEEPL_AUTH_KEY to use \
                 DeepL.{DIM:#}"
            )?;
        }
        writeln!(formatter, "\n{BOLD}In a browser, both sides:{BOLD:#} {}", self.page.link("/both"))?;
        writeln!(
            formatter,
            "{DIM}One side only: {} or {}{DIM:#}\n",
            self.page.link("/patient"),
            self.page.link("/hospital")
        )?;
        write_side(formatter, url, "The patient, who writes Japanese", self.patient, "頭が痛いです。")?;
        write_side(formatter, url, "The hospital, which writes Korean", self.coordinator, "언제부터 아프셨어요?")?;
        writeln!(
            formatter,
            "{DIM}To install wscat: npm install -g wscat. For `cargo lambda watch`: --env-file {}{DIM:#}",
            self.environment_file.display()
        )
    }
}

/// One side: the command that connects it, and frames to send.
fn write_side(
    formatter: &mut fmt::Formatter<'_>,
    url: &str,
    label: &str,
    Side { person, token }: &Side,
    message: &str,
) -> fmt::Result {
    let name = person.name.as_deref().unwrap_or(&person.user_id);
    let room = json!(CONSULTATION);
    let message = json!(message);
    writeln!(formatter, "{BOLD}{label}{BOLD:#} {DIM}({name}), in a terminal:{DIM:#}")?;
    writeln!(formatter, "wscat -c {url} -H \"Authorization: Bearer {token}\"")?;
    writeln!(formatter, "{DIM}Then paste:{DIM:#}")?;
    writeln!(formatter, r#"{{"action":"sendMessage","room_id":{room},"message":{message}}}"#)?;
    writeln!(formatter, r#"{{"action":"getChatHistory","room_id":{room}}}"#)?;
    writeln!(formatter)
}
