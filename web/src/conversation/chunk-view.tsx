import { Fragment, memo, useLayoutEffect, useRef } from "react";
import { useInterface } from "../words/interface.tsx";
import { beginsDay, beginsTurn, type Chunk, isSameChunk } from "./chunks.ts";
import { measure } from "./chunk-height.ts";
import { Entry } from "./entry.tsx";
import { SystemLine } from "./system-line.tsx";

interface ChunkProps {
  chunk: Chunk;
  readUpTo: number;
  /** The entry after which "new messages" stands. */
  marker: number | null;
  today: string;
}

/**
 * A piece of the log. While it is out of sight the browser skips it (`content-visibility`), but knows exactly how high it
 * is, so that scrolling through it moves nothing.
 */
export const ChunkView = memo(
  function ChunkView(props: ChunkProps) {
    const { format, words } = useInterface();
    const place = useRef<HTMLDivElement>(null);
    useLayoutEffect(() => {
      if (place.current !== null) measure(place.current);
    });
    const now = Date.now();
    return (
      <div className="chunk" ref={place}>
        {props.chunk.messages.map((message, index) => {
          const before = index === 0 ? props.chunk.before : (props.chunk.messages[index - 1] ?? null);
          return (
            <Fragment key={message.seq}>
              {beginsDay(message, before) && (
                <div className="day" role="separator" aria-label={format.day(message.sent_at, now)}>
                  <span>{format.day(message.sent_at, now)}</span>
                </div>
              )}
              {before?.seq === props.marker && props.marker !== null && (
                <div className="new-line" role="separator" aria-label={words.log.newMessages}>
                  <span>{words.log.newMessages}</span>
                </div>
              )}
              {message.kind === "system" ? (
                <SystemLine message={message} />
              ) : (
                <Entry message={message} turn={beginsTurn(message, before)} read={message.seq <= props.readUpTo} />
              )}
            </Fragment>
          );
        })}
      </div>
    );
  },
  (one, other) =>
    one.readUpTo === other.readUpTo && one.marker === other.marker && one.today === other.today && isSameChunk(one.chunk, other.chunk),
);
