import { Fragment, memo, useLayoutEffect, useRef } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import { type Chunk, isSameChunk, startsDay, startsGroup } from "./chunks.ts";
import { Entry } from "./entry.tsx";
import { measureChunks } from "./measure-chunks.ts";
import { SystemMessage } from "./system-message.tsx";

interface ChunkProps {
  chunk: Chunk;
  readUpTo: number;
  /** The entry after which the "New messages" divider stands. */
  dividerAfter: number | null;
  today: string;
}

/**
 * A chunk of the log. The browser skips it while it is off screen (`content-visibility`) but knows its exact height, so
 * that nothing moves while scrolling past it.
 */
export const ChunkView = memo(
  function ChunkView(props: ChunkProps) {
    const { format, strings } = useI18n();
    const element = useRef<HTMLDivElement>(null);
    useLayoutEffect(() => {
      if (element.current !== null) measureChunks(element.current);
    });
    const now = Date.now();
    return (
      <div className="chunk" ref={element}>
        {props.chunk.messages.map((message, index) => {
          const before = index === 0 ? props.chunk.before : (props.chunk.messages[index - 1] ?? null);
          return (
            <Fragment key={message.seq}>
              {startsDay(message, before) && (
                <div className="day-divider" role="separator" aria-label={format.day(message.sent_at, now)}>
                  <span>{format.day(message.sent_at, now)}</span>
                </div>
              )}
              {before !== null && before.seq === props.dividerAfter && (
                <div className="unread-divider" role="separator" aria-label={strings.log.newMessages}>
                  <span>{strings.log.newMessages}</span>
                </div>
              )}
              {message.kind === "text" ? (
                <Entry
                  message={message}
                  startsGroup={startsGroup(message, before)}
                  read={message.seq <= props.readUpTo}
                />
              ) : (
                <SystemMessage message={message} />
              )}
            </Fragment>
          );
        })}
      </div>
    );
  },
  (one, other) =>
    one.readUpTo === other.readUpTo &&
    one.dividerAfter === other.dividerAfter &&
    one.today === other.today &&
    isSameChunk(one.chunk, other.chunk),
);
