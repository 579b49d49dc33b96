/** The longest message, in Unicode characters as the server counts them. Its limit of 16 KB is never reached first. */
export const MAX_CHARACTERS = 4_000;
const SHOW_COUNT_FROM = 3_500;

export interface MessageLength {
  characters: number;
  /** How many characters exceed the limit. */
  excess: number;
  isNearLimit: boolean;
}

export function messageLength(text: string): MessageLength {
  // Most messages are short and need no counting.
  if (text.length < SHOW_COUNT_FROM) return { characters: text.length, excess: 0, isNearLimit: false };
  const characters = [...text].length;
  return {
    characters,
    excess: Math.max(0, characters - MAX_CHARACTERS),
    isNearLimit: characters >= SHOW_COUNT_FROM,
  };
}
