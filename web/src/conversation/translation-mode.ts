import type { Message, TranslationMode } from "@damso/client";

/** How far a consult is translated by what its log said last; undefined where the loaded part says nothing. */
export function lastModeOf(messages: readonly Message[]): TranslationMode | undefined {
  const last = messages.findLast((message) => message.event?.name === "translation_changed");
  return last?.event?.name === "translation_changed" ? last.event.to : undefined;
}
