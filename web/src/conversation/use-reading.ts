import { useCallback, useEffect, useState } from "react";
import { usePerson } from "../person/person.tsx";
import { parseReading, type Reading } from "./reading.ts";

/** How this person reads: remembered in this browser, and the same in all tabs. */
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
