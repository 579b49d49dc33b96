/** How somebody wants to read messages. Stored per person. */
export interface ReadingPreferences {
  first: "translation" | "original";
  showTranslation: boolean;
  showOriginal: boolean;
}

const DEFAULT: ReadingPreferences = { first: "translation", showTranslation: true, showOriginal: true };

export function parseReadingPreferences(stored: string | null): ReadingPreferences {
  try {
    const value = JSON.parse(stored ?? "{}") as Partial<ReadingPreferences>;
    const preferences: ReadingPreferences = {
      first: value.first === "original" ? "original" : "translation",
      showTranslation: value.showTranslation !== false,
      showOriginal: value.showOriginal !== false,
    };
    // At least one of the two is shown.
    return preferences.showTranslation || preferences.showOriginal ? preferences : DEFAULT;
  } catch {
    return DEFAULT;
  }
}
