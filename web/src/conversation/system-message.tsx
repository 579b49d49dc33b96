import type { Message } from "@damso/client";
import { memo } from "react";
import { bidiIsolate } from "../i18n/bidi-isolate.ts";
import { useI18n } from "../i18n/i18n-context.tsx";
import type { Strings } from "../i18n/index.ts";
import { idOf } from "../person/person.tsx";
import { useRoom } from "./room-context.tsx";
import { senderName } from "./sender-name.ts";

/** An event in the room, such as a change of status, or an entry of a kind that this version does not know. */
export const SystemMessage = memo(function SystemMessage(props: { message: Message }) {
  const { strings, format } = useI18n();
  const { names } = useRoom();
  const { message } = props;
  const nameOf = (participant: string) =>
    bidiIsolate(names.get(participant) ?? names.get(idOf(participant)) ?? idOf(participant));
  const who = bidiIsolate(senderName(message.sender, names));
  return (
    <div className="system-message" data-seq={message.seq}>
      <p>
        {sentence(strings, message, who, nameOf)}{" "}
        <time dateTime={new Date(message.sent_at).toISOString()} title={format.exact(message.sent_at)}>
          {format.time(message.sent_at)}
        </time>
      </p>
    </div>
  );
});

function sentence(strings: Strings, { event }: Message, who: string, nameOf: (participant: string) => string): string {
  switch (event?.name) {
    case "room_created":
      return strings.event.room_created(who);
    case "member_joined":
      return strings.event.member_joined(nameOf(event.participant));
    case "member_left":
      return strings.event.member_left(nameOf(event.participant));
    case "status_changed":
      return strings.event.status_changed(
        who,
        strings.status[event.from] ?? event.from,
        strings.status[event.to] ?? event.to,
      );
    case "translation_changed":
      return strings.event.translation_changed(who, strings.mode[event.to] ?? event.to);
    case "translation_limited":
      return strings.event.translation_limited;
    case "translation_corrected":
      return strings.event.translation_corrected(who);
    default:
      return strings.event.other;
  }
}
