/** How somebody wants to read: what comes first, and what is shown at all. Remembered for each person. */
export interface Reading {
  first: "translation" | "original";
  showTranslation: boolean;
  showOriginal: boolean;
}

const DEFAULT: Reading = { first: "translation", showTranslation: true, showOriginal: true };

export function parseReading(kept: string | null): Reading {
  try {
    const value = JSON.parse(kept ?? "{}") as Partial<Reading>;
    const reading: Reading = {
      first: value.first === "original" ? "original" : "translation",
      showTranslation: value.showTranslation !== false,
      showOriginal: value.showOriginal !== false,
    };
    // One of the two has to be there.
    return reading.showTranslation || reading.showOriginal ? reading : DEFAULT;
  } catch {
    return DEFAULT;
  }
}
