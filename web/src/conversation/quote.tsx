import { useInterface } from "../words/interface.tsx";
import { translationFor } from "./entry-text.ts";
import { useRoom } from "./room-context.tsx";

/** What a message answers, where that is loaded. */
export function Quote(props: { seq: number }) {
  const { words } = useInterface();
  const { log, mine } = useRoom();
  const message = log.messages[props.seq - (log.messages[0]?.seq ?? 0)];
  if (message === undefined || message.seq !== props.seq) return null;
  return (
    <blockquote className="quote" aria-label={words.log.replyTo}>
      <p dir="auto">{translationFor(message, mine)?.text ?? message.message}</p>
    </blockquote>
  );
}
