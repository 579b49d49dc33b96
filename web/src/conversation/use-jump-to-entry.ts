/** Jumps to a search result, first loading the entries in between. */
import { type RefObject, useEffect, useState } from "react";
import { useRoom } from "./room-context.tsx";

const PAGE_SIZE = 100;
const HIGHLIGHT_MS = 2_500;

/** A new object for every jump, so that jumping to the same entry twice scrolls twice. */
export interface JumpTarget {
  seq: number;
}

/** Returns whether a jump is still loading. */
export function useJumpToEntry(
  target: JumpTarget | null,
  scroller: RefObject<HTMLElement | null>,
  scrollToEntry: (entry: Element) => void,
): boolean {
  const { log } = useRoom();
  const [loading, setLoading] = useState(false);
  const [loaded, setLoaded] = useState<JumpTarget | null>(null);

  useEffect(() => {
    if (target === null) return;
    let current = true;
    const load = async () => {
      setLoading(true);
      while (current && log.hasOlder && (log.messages[0]?.seq ?? Infinity) > target.seq) await log.loadOlder(PAGE_SIZE);
    };
    load()
      .catch(() => undefined)
      .finally(() => {
        setLoading(false);
        if (current) setLoaded(target);
      });
    return () => {
      current = false;
    };
  }, [target, log]);

  useEffect(() => {
    if (loaded === null) return;
    const entry = scroller.current?.querySelector<HTMLElement>(`[data-seq="${loaded.seq}"]`);
    if (entry == null) return;
    scrollToEntry(entry);
    const removeHighlight = () => delete entry.dataset.highlighted;
    entry.dataset.highlighted = "";
    entry.focus({ preventScroll: true });
    const timer = setTimeout(removeHighlight, HIGHLIGHT_MS);
    return () => {
      clearTimeout(timer);
      removeHighlight();
    };
  }, [loaded, scroller, scrollToEntry]);

  return loading;
}
