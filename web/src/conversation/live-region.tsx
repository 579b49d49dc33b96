import type { Message } from "@damso/client";
import { useRef } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import { usePerson } from "../person/person.tsx";
import { translationFor } from "./entry-text.ts";
import { useRoom } from "./room-context.tsx";
import { senderName } from "./sender-name.ts";

/**
 * Lets screen readers announce new messages of others, and their translations when they arrive. The log itself is not
 * live, because older messages would be announced as they load.
 */
export function LiveRegion(props: { messages: readonly Message[] }) {
  const { claims } = usePerson();
  const { strings } = useI18n();
  const { ownLanguage, names } = useRoom();
  const last = props.messages.findLast(
    (message) => message.kind === "text" && message.sender.participant !== claims.participant,
  );
  const first = useRef<number | null>(null);
  if (first.current === null && props.messages.length > 0) first.current = last?.seq ?? 0;
  const isNew = last !== undefined && first.current !== null && last.seq > first.current;
  const text = isNew ? (translationFor(last, ownLanguage)?.text ?? last.message) : "";
  return (
    <p className="visually-hidden" aria-live="polite">
      {isNew && strings.log.announcement(senderName(last.sender, names), text)}
    </p>
  );
}
