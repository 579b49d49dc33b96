import type { ErrorCode, OutgoingMessage } from "@damso/client";
import { memo } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import type { Strings } from "../i18n/index.ts";
import { languagesMatch } from "../i18n/languages-match.ts";
import { DeliveryStatus } from "./delivery-status.tsx";
import { useRoom } from "./room-context.tsx";

/** A message that is not acknowledged yet, rendered at the height that it will have afterwards. */
export const OutgoingRow = memo(function OutgoingRow(props: { outgoing: OutgoingMessage }) {
  const { strings, format } = useI18n();
  const { log, ownLanguage, otherLanguage, mode, reading } = useRoom();
  const { outgoing } = props;
  const refused = outgoing.state === "refused";
  const needsTranslation = otherLanguage !== null && !languagesMatch(ownLanguage, otherLanguage);
  const awaitsTranslation = !refused && mode === "auto" && reading.showTranslation && needsTranslation;
  return (
    <article
      className="entry"
      data-side="own"
      data-outgoing={outgoing.state}
      aria-label={`${strings.you}, ${strings.delivery[outgoing.state]}`}
    >
      <div className="entry-row">
        <div className="bubble" data-order="original">
          <p className="entry-text" dir="auto" lang={outgoing.language}>
            {outgoing.text}
          </p>
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
        </p>
      </div>
      {refused && (
        <div className="refusal" role="status">
          <span>{refusalText(strings, outgoing.refusal?.code)}</span>
          <button type="button" className="text-button" onClick={() => log.retry(outgoing.messageId)}>
            {strings.outgoing.retry}
          </button>
          <button type="button" className="text-button" onClick={() => log.discard(outgoing.messageId)}>
            {strings.outgoing.discard}
          </button>
        </div>
      )}
    </article>
  );
});

function refusalText(strings: Strings, code: ErrorCode | undefined): string {
  const { refused } = strings.outgoing;
  return code !== undefined && code in refused ? refused[code as keyof typeof refused] : refused.other;
}
