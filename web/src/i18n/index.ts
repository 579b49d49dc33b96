import { en, type Strings } from "./en.ts";
import { ja } from "./ja.ts";
import { ko } from "./ko.ts";

export type { Strings };

/** The languages of the user interface, each with its own name. */
export const INTERFACE_LANGUAGES = { ko: "한국어", en: "English", ja: "日本語" } as const;
export type InterfaceLanguage = keyof typeof INTERFACE_LANGUAGES;

export const strings: Record<InterfaceLanguage, Strings> = { ko, en, ja };

/** The first supported language among the preferences, or English. */
export function chooseLanguage(preferences: readonly (string | null | undefined)[]): InterfaceLanguage {
  for (const preference of preferences) {
    const language = preference?.toLowerCase().split(/[-_]/)[0];
    if (language === "ko" || language === "en" || language === "ja") return language;
  }
  return "en";
}
