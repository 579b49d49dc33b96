/** Splits a text as people wrote it into what is shown: lines and web addresses. */

export interface TextPart {
  text: string;
  isLink: boolean;
}

/** ASCII only: what follows an address in Korean or Japanese, often without a space, is not part of it. */
const ADDRESS = /\bhttps?:\/\/[\w\-.~:/?#[\]@!$&'()*+,;=%]+/gi;
/** These end a sentence or a quotation rather than an address. */
const TRAILING = /[.,:;!?'*]$/;
const BRACKETS: readonly (readonly [string, string])[] = [
  ["(", ")"],
  ["[", "]"],
];

export function textParts(text: string): TextPart[] {
  const shown = withLineBreaks(text);
  const parts: TextPart[] = [];
  let end = 0;
  const add = (part: string, isLink: boolean) => part !== "" && parts.push({ text: part, isLink });
  for (const { 0: found, index } of shown.matchAll(ADDRESS)) {
    const address = withoutTrailing(found);
    if (!isWebAddress(address)) continue;
    add(shown.slice(end, index), false);
    add(address, true);
    end = index + address.length;
  }
  add(shown.slice(end), false);
  return parts;
}

/** All line breaks of Unicode, of which CSS knows only the line feed. */
export function withLineBreaks(text: string): string {
  return text.replace(/\r\n?|[\v\f\u0085\u2028\u2029]/g, "\n");
}

function withoutTrailing(found: string): string {
  let address = found;
  while (TRAILING.test(address) || endsWithUnmatchedBracket(address)) address = address.slice(0, -1);
  return address;
}

function endsWithUnmatchedBracket(address: string): boolean {
  const count = (character: string) => address.split(character).length;
  return BRACKETS.some(([open, close]) => address.endsWith(close) && count(close) > count(open));
}

/** An address that begins with a user name looks as if it led elsewhere than it does. */
function isWebAddress(text: string): boolean {
  try {
    const { protocol, hostname, username, password } = new URL(text);
    return /^https?:$/.test(protocol) && hostname !== "" && username === "" && password === "";
  } catch {
    return false;
  }
}
