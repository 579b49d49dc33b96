/** Compares texts as the server's search does: without case and without differences that do not show. */

/**
 * What is compared as a whole: a code point with the marks that combine with it, or the parts of a Hangul syllable.
 * Invisible code points belong to the visible one before them.
 */
const UNIT = new RegExp(
  `(?:[\\u3131-\\u314e\\uffa1-\\uffbe][\\u314f-\\u3163\\uffc2-\\uffdc]|.)` +
    `[\\p{M}\\p{Default_Ignorable_Code_Point}\\uff9e\\uff9f\\u1160-\\u11ff\\ud7b0-\\ud7fb]*`,
  "gsu",
);
/** Superscripts, subscripts, fractions and numbers in circles, whose compatible forms are plain digits. */
const KEEPS_ITS_FORM = /[²³¹¼-¾\u2070-\u209f\u2150-\u215f\u2460-\u249b]/;

function foldUnit(unit: string): string {
  const visible = unit.replace(/\p{Default_Ignorable_Code_Point}/gu, "");
  if (KEEPS_ITS_FORM.test(visible)) return visible;
  // Upper case first: it unites `ß` with `ss`, and the forms of sigma.
  return visible.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFC");
}

export function fold(text: string): string {
  return text.replace(UNIT, foldUnit);
}

/** Where a text contains another one, in positions of the text as it is written. Null if it does not. */
export function findFolded(text: string, wanted: string): { start: number; end: number } | null {
  const foldedWanted = fold(wanted);
  const starts: number[] = [];
  const ends: number[] = [];
  let folded = "";
  for (const { 0: unit, index } of text.matchAll(UNIT)) {
    const added = foldUnit(unit);
    for (let position = 0; position < added.length; position += 1) {
      starts.push(index);
      ends.push(index + unit.length);
    }
    folded += added;
  }
  const at = foldedWanted === "" ? -1 : folded.indexOf(foldedWanted);
  const start = starts[at];
  const end = ends[at + foldedWanted.length - 1];
  return start === undefined || end === undefined ? null : { start, end };
}

/** The last position before `limit` at which a text can be cut without changing what it shows. */
export function cutBefore(text: string, limit: number): number {
  let cut = 0;
  for (const { index } of text.slice(0, limit).matchAll(UNIT)) cut = index;
  return cut;
}
