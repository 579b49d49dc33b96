import { memo } from "react";
import type { ErrorCode, Outgoing } from "@damso/client";
import { useInterface } from "../words/interface.tsx";
import type { Words } from "../words/index.ts";
import { Mark } from "./mark.tsx";
import { useRoom } from "./room-context.tsx";
import { readsLike } from "../words/reads-like.ts";

/** A message on its way; as high as it will be once it has arrived. */
export const OutgoingRow = memo(function OutgoingRow(props: { outgoing: Outgoing }) {
  const { words, format } = useInterface();
  const { log, mine, theirs, mode, reading } = useRoom();
  const { outgoing } = props;
  const refused = outgoing.state === "refused";
  const awaits = !refused && mode === "auto" && reading.showTranslation && theirs !== null && !readsLike(mine, theirs);
  return (
    <article className="entry" data-side="own" data-outgoing={outgoing.state} aria-label={`${words.you}, ${words.mark[outgoing.state]}`}>
      <div className="line">
        <div className="bubble" data-order="original">
          <p className="text" dir="auto" lang={outgoing.language}>
            {outgoing.text}
          </p>
          {awaits && (
            <>
              <p className="text pending" aria-hidden="true" />
              <div className="provenance" aria-hidden="true">
                <span>{words.translation.pending}</span>
              </div>
            </>
          )}
        </div>
        <p className="meta">
          <time dateTime={new Date(outgoing.createdAt).toISOString()}>{format.time(outgoing.createdAt)}</time>
          <Mark state={outgoing.state} />
        </p>
      </div>
      {refused && (
        <div className="refusal" role="status">
          <span>{reasonOf(words, outgoing.refusal?.code)}</span>
          <button type="button" className="plain" onClick={() => log.retry(outgoing.messageId)}>
            {words.outgoing.retry}
          </button>
          <button type="button" className="plain" onClick={() => log.discard(outgoing.messageId)}>
            {words.outgoing.discard}
          </button>
        </div>
      )}
    </article>
  );
});

function reasonOf(words: Words, code: ErrorCode | undefined): string {
  const { refused } = words.outgoing;
  return code !== undefined && code in refused ? refused[code as keyof typeof refused] : refused.other;
}
