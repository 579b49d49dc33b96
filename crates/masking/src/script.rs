//! The scripts of letters.

use icu_properties::CodePointMapData;
use icu_properties::props::Script;

pub(super) fn script(letter: char) -> Script {
    CodePointMapData::<Script>::new().get(letter)
}
