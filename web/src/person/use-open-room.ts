/** Which conversation is open: remembered by the tab, and closed by the browser's "back" as well as by the page's own. */
import { useCallback, useEffect, useState } from "react";

/** What lies in the browser's history. It never has an address of its own: the one with the token is gone, and stays gone. */
interface Step {
  /** Rooms by the person who opened them, for two may stand side by side. */
  rooms?: Record<string, string>;
  /** Whose opening made this step, and who may therefore take it back. */
  by?: string;
}

const step = (): Step => (history.state as Step | null) ?? {};

export function useOpenRoom(key: string) {
  const [open, setOpen] = useState<string | null>(() => sessionStorage.getItem(key));
  useEffect(() => {
    const walked = () => {
      // A link that signs somebody in is no step back. A step may also close and never open: where two stand side by side,
      // one of them may have been left since it was made.
      if (location.hash === "" && step().rooms?.[key] === undefined) setOpen(null);
    };
    addEventListener("popstate", walked);
    return () => removeEventListener("popstate", walked);
  }, [key]);
  useEffect(() => {
    if (open === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, open);
  }, [key, open]);

  const choose = useCallback(
    (roomId: string) => {
      const next: Step = { rooms: { ...step().rooms, [key]: roomId }, by: key };
      // From one room to the next is no step back to take; from the list into a room is.
      if (open === null) history.pushState(next, "");
      else history.replaceState({ ...next, by: step().by }, "");
      setOpen(roomId);
    },
    [key, open],
  );
  const leave = useCallback(() => {
    if (step().by === key) return history.back();
    const { [key]: _, ...rooms } = step().rooms ?? {};
    history.replaceState({ ...step(), rooms }, "");
    setOpen(null);
  }, [key]);
  return { open, setOpen, choose, leave };
}
