/** How long a message may be, counted in characters of Unicode as the server does. Its limit of 16 KB is never reached before. */
export const MOST_CHARACTERS = 4_000;
const NEARLY = 3_500;

export interface Length {
  characters: number;
  /** How many characters have to go. */
  over: number;
  /** Whether the number is worth showing. */
  near: boolean;
}

export function lengthOf(text: string): Length {
  // As most messages are short, most are not counted at all.
  if (text.length < NEARLY) return { characters: text.length, over: 0, near: false };
  const characters = [...text].length;
  return { characters, over: Math.max(0, characters - MOST_CHARACTERS), near: characters >= NEARLY };
}
