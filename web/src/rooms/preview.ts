import type { LastMessage } from "@damso/client";

/** The newest message as its reader understands it: the original, if there is no translation or none is needed. */
export function previewOf({ message, language, translation }: LastMessage): { text: string; language?: string } {
  if (translation?.status === "ok" && translation.text !== undefined) {
    return { text: translation.text, language: translation.language };
  }
  return { text: message, ...(language === undefined ? {} : { language }) };
}
