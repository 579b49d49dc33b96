/** The part of a message that a search found. */
import type { Message } from "@damso/client";
import { translationFor } from "./entry-text.ts";

const CONTEXT_CHARACTERS = 24;

export interface Snippet {
  before: string;
  match: string;
  after: string;
}

export function snippetOf(message: Message, query: string, language: string | null): Snippet {
  const wanted = query.toLowerCase();
  const translations = Object.values(message.translations).map((translation) => translation.text);
  const texts = [translationFor(message, language)?.text, message.message, ...translations];
  for (const text of texts) {
    if (text === undefined) continue;
    const lowered = text.toLowerCase();
    // Lower case can have another length, so that positions differ. Such a text is not cut.
    const at = lowered.length === text.length ? lowered.indexOf(wanted) : -1;
    if (at < 0) continue;
    const from = at <= CONTEXT_CHARACTERS ? 0 : at - CONTEXT_CHARACTERS;
    return {
      before: (from > 0 ? "… " : "") + text.slice(from, at),
      match: text.slice(at, at + query.length),
      after: text.slice(at + query.length),
    };
  }
  return { before: message.message, match: "", after: "" };
}
