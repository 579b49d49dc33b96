import { en, type Words } from "./en.ts";
import { ja } from "./ja.ts";
import { ko } from "./ko.ts";

export type { Words };

/** The languages of the interface, each by its own name. */
export const INTERFACE_LANGUAGES = { ko: "한국어", en: "English", ja: "日本語" } as const;
export type InterfaceLanguage = keyof typeof INTERFACE_LANGUAGES;

export const words: Record<InterfaceLanguage, Words> = { ko, en, ja };

/** The first of the wishes that the interface speaks; English where it speaks none of them. */
export function chooseLanguage(wishes: readonly (string | null | undefined)[]): InterfaceLanguage {
  for (const wish of wishes) {
    const language = wish?.toLowerCase().split(/[-_]/)[0];
    if (language === "ko" || language === "en" || language === "ja") return language;
  }
  return "en";
}
