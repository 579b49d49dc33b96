/** How somebody wants to read: what comes first, and what is shown at all. Remembered for each person. */
import { useCallback, useEffect, useState } from "react";
import { usePerson } from "../person/person.tsx";

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

export function useReading(): [Reading, (reading: Reading) => void] {
  const key = usePerson().storageKey("reading");
  const [reading, setReading] = useState(() => parseReading(localStorage.getItem(key)));
  useEffect(() => {
    const fromOtherTab = (event: StorageEvent) => event.key === key && setReading(parseReading(event.newValue));
    addEventListener("storage", fromOtherTab);
    return () => removeEventListener("storage", fromOtherTab);
  }, [key]);
  const choose = useCallback(
    (chosen: Reading) => {
      const kept = JSON.stringify(chosen);
      localStorage.setItem(key, kept);
      setReading(parseReading(kept));
    },
    [key],
  );
  return [reading, choose];
}
