/** Goes to a message that was found, loading what lies between. */
import { type RefObject, useEffect, useState } from "react";
import type { Target } from "./conversation.tsx";
import { useRoom } from "./room-context.tsx";

const PAGE = 100;

export function useTarget(target: Target | null, scroller: RefObject<HTMLElement | null>, toEntry: (entry: Element) => void): boolean {
  const { log } = useRoom();
  const [going, setGoing] = useState(false);
  const [arrived, setArrived] = useState<Target | null>(null);

  useEffect(() => {
    if (target === null) return;
    let current = true;
    const load = async () => {
      setGoing(true);
      while (current && log.hasOlder && (log.messages[0]?.seq ?? Infinity) > target.seq) await log.loadOlder(PAGE);
    };
    load()
      .catch(() => undefined)
      .finally(() => {
        setGoing(false);
        if (current) setArrived(target);
      });
    return () => void (current = false);
  }, [target, log]);

  useEffect(() => {
    if (arrived === null) return;
    const entry = scroller.current?.querySelector<HTMLElement>(`[data-seq="${arrived.seq}"]`);
    if (entry == null) return;
    toEntry(entry);
    entry.dataset["found"] = "";
    entry.focus({ preventScroll: true });
    const timer = setTimeout(() => delete entry.dataset["found"], 2_500);
    return () => {
      clearTimeout(timer);
      delete entry.dataset["found"];
    };
  }, [arrived, scroller, toEntry]);

  return going;
}
