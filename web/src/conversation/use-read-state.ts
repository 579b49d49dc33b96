/** What the reader has seen, what is reported to the others as read, and where the "New messages" divider stands. */
import type { Message } from "@damso/client";
import { useEffect, useRef, useState } from "react";
import { usePerson } from "../person/person.tsx";
import { unreadDividerAfter } from "./read-state.ts";
import { useRoom } from "./room-context.tsx";

function usePageVisible(): boolean {
  const [visible, setVisible] = useState(document.visibilityState === "visible");
  useEffect(() => {
    const update = () => setVisible(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", update);
    return () => document.removeEventListener("visibilitychange", update);
  }, []);
  return visible;
}

export function useReadState(messages: readonly Message[], atEnd: boolean, ready: boolean) {
  const { claims } = usePerson();
  const { log } = useRoom();
  const pageVisible = usePageVisible();
  const last = messages.at(-1)?.seq ?? 0;
  // The room list knows how far the room was read; an event may change that before the first page arrives.
  const readAtOpening = useRef<number | null>(null);
  if (readAtOpening.current === null && log.room !== null) readAtOpening.current = log.room.last_read_seq;
  const [divider, setDivider] = useState<number | null | undefined>();
  const [seen, setSeen] = useState(0);
  const reading = ready && atEnd && pageVisible;

  if (ready && divider === undefined && messages.length > 0) {
    setDivider(unreadDividerAfter(messages, readAtOpening.current ?? last, claims.participant));
    setSeen(last);
  } else if (reading && seen < last) {
    setSeen(last);
  } else if (ready && !reading && (divider == null || divider < seen)) {
    const next = unreadDividerAfter(messages, seen, claims.participant);
    if (next !== null) setDivider(next);
  }

  useEffect(() => {
    if (reading && last > 0) log.markRead(last);
  }, [reading, last, log]);

  return { seen, divider: divider ?? null };
}
