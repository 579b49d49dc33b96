import { useRef } from "react";
import type { Message } from "@damso/client";
import { idOf, usePerson } from "../person/person.tsx";
import { useInterface } from "../words/interface.tsx";
import { translationFor } from "./entry-text.ts";
import { useRoom } from "./room-context.tsx";

/**
 * Reads out what somebody else writes, and its translation when that comes. The log itself is silent: it would also read
 * out every older message that is loaded.
 */
export function Announcement(props: { messages: readonly Message[] }) {
  const { claims } = usePerson();
  const { words } = useInterface();
  const { mine } = useRoom();
  const last = props.messages.findLast((message) => message.kind === "text" && message.sender.participant !== claims.participant);
  const first = useRef<number | null>(null);
  if (first.current === null && props.messages.length > 0) first.current = last?.seq ?? 0;
  const isNew = last !== undefined && first.current !== null && last.seq > first.current;
  const text = isNew ? (translationFor(last, mine)?.text ?? last.message) : "";
  return (
    <p className="unseen" aria-live="polite">
      {isNew && words.log.said(last.sender.name ?? idOf(last.sender.participant), text)}
    </p>
  );
}
