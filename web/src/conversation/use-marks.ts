/** What has been on the screen, what is told to the others as read, and where "new messages" stands. */
import { useEffect, useRef, useState } from "react";
import type { Message } from "@damso/client";
import { usePerson } from "../person/person.tsx";
import { useRoom } from "./room-context.tsx";
import { markerAfter } from "./stick.ts";

function useVisible(): boolean {
  const [visible, setVisible] = useState(document.visibilityState === "visible");
  useEffect(() => {
    const changed = () => setVisible(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", changed);
    return () => document.removeEventListener("visibilitychange", changed);
  }, []);
  return visible;
}

export function useMarks(messages: readonly Message[], atEnd: boolean, ready: boolean) {
  const { claims } = usePerson();
  const { log } = useRoom();
  const visible = useVisible();
  const last = messages.at(-1)?.seq ?? 0;
  // The list knows up to where it was read; an event may move that before the first page is here.
  const readAtOpening = useRef<number | null>(null);
  if (readAtOpening.current === null && log.room !== null) readAtOpening.current = log.room.last_read_seq;
  const [marker, setMarker] = useState<number | null | undefined>();
  const [seen, setSeen] = useState(0);
  const looking = ready && atEnd && visible;

  if (ready && marker === undefined && messages.length > 0) {
    setMarker(markerAfter(messages, readAtOpening.current ?? last, claims.participant));
    setSeen(last);
  } else if (looking && seen < last) {
    setSeen(last);
  } else if (ready && !looking && (marker == null || marker < seen) && markerAfter(messages, seen, claims.participant) !== null) {
    setMarker(seen);
  }

  useEffect(() => {
    if (looking && last > 0) log.markRead(last);
  }, [looking, last, log]);

  return { seen, marker: marker ?? null };
}
