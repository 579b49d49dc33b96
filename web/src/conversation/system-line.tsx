import { memo } from "react";
import type { Message } from "@damso/client";
import { idOf } from "../person/person.tsx";
import { useInterface } from "../words/interface.tsx";
import { apart } from "../words/apart.ts";
import type { Words } from "../words/index.ts";
import { useRoom } from "./room-context.tsx";

/** What happened, as opposed to what somebody said. */
export const SystemLine = memo(function SystemLine(props: { message: Message }) {
  const { words, format } = useInterface();
  const { names } = useRoom();
  const { message } = props;
  const called = (participant: string) => apart(names.get(participant) ?? names.get(idOf(participant)) ?? idOf(participant));
  const who = message.sender.name === undefined ? called(message.sender.participant) : apart(message.sender.name);
  return (
    <div className="system" data-seq={message.seq}>
      <p>
        {sentence(words, message, who, called)}{" "}
        <time dateTime={new Date(message.sent_at).toISOString()} title={format.exact(message.sent_at)}>
          {format.time(message.sent_at)}
        </time>
      </p>
    </div>
  );
});

function sentence(words: Words, { event }: Message, who: string, called: (participant: string) => string): string {
  switch (event?.name) {
    case "room_created":
      return words.event.room_created(who);
    case "member_joined":
      return words.event.member_joined(called(event.participant));
    case "member_left":
      return words.event.member_left(called(event.participant));
    case "status_changed":
      return words.event.status_changed(who, words.status[event.from], words.status[event.to]);
    case "translation_changed":
      return words.event.translation_changed(who, words.mode[event.to]);
    case "translation_limited":
      return words.event.translation_limited;
    case "translation_corrected":
      return words.event.translation_corrected(who);
    default:
      return "–";
  }
}
