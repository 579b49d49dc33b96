import { type ErrorCode, languagesMatch, type OutgoingMessage } from "@damso/client";
import { type MouseEvent, memo, useEffect, useState } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import type { Strings } from "../i18n/index.ts";
import { DeliveryStatus } from "./delivery-status.tsx";
import { MessageText } from "./message-text.tsx";
import { useRoom } from "./room-context.tsx";

/** Most messages are sent before anybody could want to take them back. */
const DISCARDABLE_AFTER_MS = 3_000;

/** A message that is not acknowledged yet, rendered at the height that it will have afterwards. */
export const OutgoingRow = memo(function OutgoingRow(props: { outgoing: OutgoingMessage }) {
  const { strings, format } = useI18n();
  const { log, ownLanguage, otherLanguage, mode, reading } = useRoom();
  const { outgoing } = props;
  const failed = outgoing.state === "failed";
  const [waited, setWaited] = useState(() => Date.now() - outgoing.createdAt >= DISCARDABLE_AFTER_MS);
  useEffect(() => {
    if (waited) return;
    const timer = setTimeout(() => setWaited(true), DISCARDABLE_AFTER_MS);
    return () => clearTimeout(timer);
  }, [waited]);
  const needsTranslation = otherLanguage !== null && !languagesMatch(ownLanguage, otherLanguage);
  const awaitsTranslation = !failed && mode === "auto" && reading.showTranslation && needsTranslation;
  const discard = (
    <button
      type="button"
      className="text-button"
      onClick={(event: MouseEvent<HTMLElement>) => {
        // This button disappears, so its focus moves to the log.
        event.currentTarget.closest<HTMLElement>(".log")?.focus({ preventScroll: true });
        log.discard(outgoing.messageId);
      }}
    >
      {strings.outgoing.discard}
    </button>
  );
  return (
    <article
      className="entry"
      data-side="own"
      data-outgoing={outgoing.state}
      aria-label={`${strings.you}, ${strings.delivery[outgoing.state]}`}
    >
      <div className="entry-row">
        <div className="bubble" data-order="original">
          <MessageText text={outgoing.text} language={outgoing.language} />
          {awaitsTranslation && (
            <>
              <p className="entry-text pending" aria-hidden="true" />
              <div className="provenance" aria-hidden="true">
                <span>{strings.translation.pending}</span>
              </div>
            </>
          )}
        </div>
        <p className="entry-meta">
          <time dateTime={new Date(outgoing.createdAt).toISOString()}>{format.time(outgoing.createdAt)}</time>
          <DeliveryStatus state={outgoing.state} />
          {waited && !failed && discard}
        </p>
      </div>
      {failed && (
        <div className="refusal" role="status">
          <span>{refusalText(strings, outgoing.refusal?.code)}</span>
          <button type="button" className="text-button" onClick={() => log.retry(outgoing.messageId)}>
            {strings.outgoing.retry}
          </button>
          {discard}
        </div>
      )}
    </article>
  );
});

/** Without a code, there was no reply at all. */
function refusalText(strings: Strings, code: ErrorCode = "internal"): string {
  const { refused } = strings.outgoing;
  return code in refused ? refused[code as keyof typeof refused] : refused.other;
}
