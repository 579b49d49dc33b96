/** The part of a message that a search found. */
import type { Message } from "@damso/client";
import { cutBefore, findFolded } from "../i18n/fold.ts";
import { translationFor } from "./entry-text.ts";

const CONTEXT_CHARACTERS = 24;

export interface Snippet {
  before: string;
  match: string;
  after: string;
}

export function snippetOf(message: Message, query: string, language: string | null): Snippet {
  const translations = Object.values(message.translations).map((translation) => translation.text);
  const texts = [translationFor(message, language)?.text, message.message, ...translations];
  for (const text of texts) {
    const found = text === undefined ? null : findFolded(text, query);
    if (text === undefined || found === null) continue;
    const { start, end } = found;
    const from = start <= CONTEXT_CHARACTERS ? 0 : cutBefore(text, start - CONTEXT_CHARACTERS);
    return {
      before: (from > 0 ? "… " : "") + text.slice(from, start),
      match: text.slice(start, end),
      after: text.slice(end),
    };
  }
  return { before: message.message, match: "", after: "" };
}
