/** The open conversation. The tab remembers it, and both the browser's and the page's Back button close it. */
import { useCallback, useEffect, useState } from "react";
import { tabStorage } from "../storage/storage.ts";

/** The state of a history entry. It has no URL of its own, so the URL with the token never comes back. */
interface HistoryState {
  /** Open rooms by person, because the page can show two. */
  rooms?: Record<string, string>;
  /** The person whose opening added this entry, and who may therefore go back. */
  by?: string;
}

const historyState = (): HistoryState => (history.state as HistoryState | null) ?? {};

export function useOpenRoom(key: string) {
  const [open, setOpen] = useState<string | null>(() => tabStorage.getItem(key));
  useEffect(() => {
    const onPopState = () => {
      // A link that signs somebody in also causes this event. A history entry only ever closes a room: with two people,
      // the other one may have closed theirs since it was added.
      if (location.hash === "" && historyState().rooms?.[key] === undefined) setOpen(null);
    };
    addEventListener("popstate", onPopState);
    return () => removeEventListener("popstate", onPopState);
  }, [key]);
  useEffect(() => {
    if (open === null) tabStorage.removeItem(key);
    else tabStorage.setItem(key, open);
  }, [key, open]);

  const choose = useCallback(
    (roomId: string) => {
      const next: HistoryState = { rooms: { ...historyState().rooms, [key]: roomId }, by: key };
      // Opening a room from the list adds a history entry; switching rooms does not.
      if (open === null) history.pushState(next, "");
      else history.replaceState({ ...next, by: historyState().by }, "");
      setOpen(roomId);
    },
    [key, open],
  );
  const leave = useCallback(() => {
    if (historyState().by === key) return history.back();
    const { [key]: _, ...rooms } = historyState().rooms ?? {};
    history.replaceState({ ...historyState(), rooms }, "");
    setOpen(null);
  }, [key]);
  return { open, setOpen, choose, leave };
}
