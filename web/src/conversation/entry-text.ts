/** Which words of a message are shown, and in which order. */
import type { Message, Room, Translation } from "@damso/client";
import { readsLike } from "../words/reads-like.ts";
import type { Reading } from "./reading.ts";

/** The translation that a reader of this language wants; none where the message is in it already. */
export function translationFor(message: Pick<Message, "language" | "translations">, language: string | null): Translation | undefined {
  if (language === null || readsLike(message.language, language)) return undefined;
  return (
    message.translations[language] ??
    Object.values(message.translations).find((translation) => readsLike(translation.language, language))
  );
}

/** What can be said about a translation that is or is not there. */
export type TranslationState =
  /** None is needed: the reader knows the language, or there are no words in it. */
  | "none"
  | "shown"
  | "failed"
  /** The machine is at it. */
  | "pending"
  /** Somebody may ask for it. */
  | "askable";

/** `waited`: it could have come by now, so that asking for it is offered. */
export function translationState(
  message: Pick<Message, "language" | "translations">,
  language: string | null,
  mode: Room["translation"],
  waited: boolean,
): TranslationState {
  if (language === null || readsLike(message.language, language)) return "none";
  const translation = translationFor(message, language);
  if (translation?.status === "same") return "none";
  if (translation?.status === "failed") return "failed";
  if (translation?.text !== undefined) return "shown";
  if (mode === "off") return "none";
  return mode !== "on_request" && !waited ? "pending" : "askable";
}

/**
 * The order in which original and translation stand. One's own words come first in one's own messages: their translation
 * is what the other side reads. A slot for a translation on its way is kept where it will stand, so that nothing moves.
 */
export function orderOf(reading: Reading, state: TranslationState, own: boolean): ("original" | "translation")[] {
  const hasTranslation = state === "shown" || state === "pending";
  if (!hasTranslation) return ["original"];
  const order: ("original" | "translation")[] =
    own || reading.first === "original" ? ["original", "translation"] : ["translation", "original"];
  return order.filter((part) =>
    part === "original" ? reading.showOriginal || own || state === "pending" : reading.showTranslation,
  );
}
