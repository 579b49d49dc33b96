import { useCallback, useEffect, useState } from "react";
import { usePerson } from "../person/person.tsx";
import { browserStorage } from "../storage/storage.ts";
import { parseReadingPreferences, type ReadingPreferences } from "./reading-preferences.ts";

/** This person's preferences, stored in the browser and kept in sync between tabs. */
export function useReadingPreferences(): [ReadingPreferences, (preferences: ReadingPreferences) => void] {
  const key = usePerson().storageKey("reading");
  const [preferences, setPreferences] = useState(() => parseReadingPreferences(browserStorage.getItem(key)));
  useEffect(() => {
    const fromOtherTab = (event: StorageEvent) => {
      if (event.key === key) setPreferences(parseReadingPreferences(event.newValue));
    };
    addEventListener("storage", fromOtherTab);
    return () => removeEventListener("storage", fromOtherTab);
  }, [key]);
  const save = useCallback(
    (chosen: ReadingPreferences) => {
      const stored = JSON.stringify(chosen);
      browserStorage.setItem(key, stored);
      setPreferences(parseReadingPreferences(stored));
    },
    [key],
  );
  return [preferences, save];
}
