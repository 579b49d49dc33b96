/** The part of a message in which something was found. */
import type { Message } from "@damso/client";
import { translationFor } from "./entry-text.ts";

const BEFORE = 24;

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
    // Where lower case has another length, the places would not be the same: the whole text is shown instead.
    const at = text?.toLowerCase().length === text?.length ? (text?.toLowerCase().indexOf(wanted) ?? -1) : -1;
    if (text === undefined || at < 0) continue;
    const from = at <= BEFORE ? 0 : at - BEFORE;
    return {
      before: (from > 0 ? "… " : "") + text.slice(from, at),
      match: text.slice(at, at + query.length),
      after: text.slice(at + query.length),
    };
  }
  return { before: message.message, match: "", after: "" };
}
