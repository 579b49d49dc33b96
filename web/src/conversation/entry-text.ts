/** Which texts of a message are shown, and in which order. */
import { languagesMatch, type Message, type Room, type Translation } from "@damso/client";
import type { ReadingPreferences } from "./reading-preferences.ts";

type TranslatedText = Pick<Message, "language" | "translations">;

/** The translation for a reader of this language. Undefined if the message is already in it. */
export function translationFor(message: TranslatedText, language: string | null): Translation | undefined {
  if (language === null || languagesMatch(message.language, language)) return undefined;
  return (
    message.translations[language] ??
    Object.values(message.translations).find((translation) => languagesMatch(translation.language, language))
  );
}

export type TranslationState =
  /** Not needed: the reader knows the language, or there is nothing to translate. */
  | "none"
  | "shown"
  | "failed"
  /** Expected to arrive. */
  | "pending"
  /** The reader can request it. */
  | "requestable";

/** `waited`: it should have arrived by now, so the reader is offered to request it. */
export function translationState(
  message: TranslatedText,
  language: string | null,
  mode: Room["translation"],
  waited: boolean,
): TranslationState {
  if (language === null || languagesMatch(message.language, language)) return "none";
  const translation = translationFor(message, language);
  if (translation?.status === "same") return "none";
  if (translation?.status === "failed") return "failed";
  if (translation?.text !== undefined) return "shown";
  if (mode === "off") return "none";
  return mode !== "on_request" && !waited ? "pending" : "requestable";
}

/**
 * The order of original and translation. In one's own messages the original comes first, because the translation is
 * what the other side reads. A pending translation takes its place already, so that nothing moves when it arrives.
 */
export function displayOrder(
  preferences: ReadingPreferences,
  state: TranslationState,
  isOwn: boolean,
): ("original" | "translation")[] {
  const hasTranslation = state === "shown" || state === "pending";
  if (!hasTranslation) return ["original"];
  const order: ("original" | "translation")[] =
    isOwn || preferences.first === "original" ? ["original", "translation"] : ["translation", "original"];
  const showOriginal = preferences.showOriginal || isOwn || state === "pending";
  return order.filter((part) => (part === "original" ? showOriginal : preferences.showTranslation));
}
