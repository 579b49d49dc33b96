/** How long a message may be: the server counts characters as Unicode does, and bytes of UTF-8. */
export const MOST_CHARACTERS = 4_000;
const MOST_BYTES = 16 * 1024;
const NEARLY = 3_500;

export interface Length {
  characters: number;
  /** How many characters have to go; about so many where it is the bytes that are too many. */
  over: number;
  /** Whether the number is worth showing. */
  near: boolean;
}

export function lengthOf(text: string): Length {
  // As most messages are short, most are not counted at all.
  if (text.length < NEARLY) return { characters: text.length, over: 0, near: false };
  const characters = [...text].length;
  const bytes = new TextEncoder().encode(text).length;
  const overBytes = bytes > MOST_BYTES ? Math.ceil(((bytes - MOST_BYTES) * characters) / bytes) : 0;
  const over = Math.max(0, characters - MOST_CHARACTERS, overBytes);
  return { characters, over, near: characters >= NEARLY || over > 0 };
}
