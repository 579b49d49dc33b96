import { useI18n } from "../i18n/i18n-context.tsx";
import { translationFor } from "./entry-text.ts";
import { useRoom } from "./room-context.tsx";

/** The message that another one replies to, if it is loaded. */
export function Quote(props: { seq: number }) {
  const { strings } = useI18n();
  const { log, ownLanguage } = useRoom();
  const message = log.messages[props.seq - (log.messages[0]?.seq ?? 0)];
  if (message === undefined || message.seq !== props.seq) return null;
  return (
    <blockquote className="quote" aria-label={strings.log.replyTo}>
      <p dir="auto">{translationFor(message, ownLanguage)?.text ?? message.message}</p>
    </blockquote>
  );
}
