import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Icon } from "../icons/icon.tsx";
import { counterpartOf, usePerson } from "../person/person.tsx";
import { useNow } from "../person/use-now.ts";
import { useInterface } from "../words/interface.tsx";
import { CHUNK, chunksOf } from "./chunks.ts";
import { ChunkView } from "./chunk-view.tsx";
import type { Target } from "./conversation.tsx";
import { Announcement } from "./announcement.tsx";
import { OutgoingRow } from "./outgoing-row.tsx";
import { useRoom } from "./room-context.tsx";
import { countUnseen, readBy } from "./stick.ts";
import { useMarks } from "./use-marks.ts";
import { usePlace } from "./use-place.ts";
import { useTarget } from "./use-target.ts";

/** So near the beginning of what is loaded, older messages are fetched. */
const EARLY_PX = 800;
const PAGE = 50;

export function LogView(props: {
  title: string;
  change: number;
  state: "loading" | "ready" | "failed";
  tryAgain: () => void;
  target: Target | null;
}) {
  const { claims } = usePerson();
  const { words } = useInterface();
  const { log } = useRoom();
  const now = useNow(60_000);
  const scroller = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const [older, setOlder] = useState<"quiet" | "loading" | "failed">("quiet");
  const { messages } = log;

  const { seen, marker } = useMarks(messages, atEnd, props.state === "ready");
  const loadOlder = useCallback(() => {
    if (!log.hasOlder || older === "loading") return;
    setOlder("loading");
    log.loadOlder(PAGE).then(
      () => setOlder("quiet"),
      () => setOlder("failed"),
    );
  }, [log, older]);

  const place = usePlace(scroller, setAtEnd);
  const onScroll = () => {
    place.onScroll();
    if (older === "quiet" && (scroller.current?.scrollTop ?? Infinity) < EARLY_PX) loadOlder();
  };
  // A tall window may have room for more than the first page.
  useEffect(() => {
    const element = scroller.current;
    if (props.state === "ready" && older === "quiet" && element !== null && element.scrollHeight <= element.clientHeight) loadOlder();
  }, [props.state, props.change, older, loadOlder]);

  const going = useTarget(props.target, scroller, place.toEntry);

  // Who opens a room with much that is new begins to read where it begins.
  const opened = useRef(false);
  useEffect(() => {
    if (opened.current || props.state !== "ready" || messages.length === 0) return;
    opened.current = true;
    const line = scroller.current?.querySelector(".new-line");
    const element = scroller.current;
    if (line == null || element === null) return;
    if (line.getBoundingClientRect().top < element.getBoundingClientRect().top) place.toEntry(line);
  });

  // Whoever writes wants to see it.
  const written = log.outgoing.at(-1)?.messageId;
  useEffect(() => {
    if (written !== undefined) place.toEnd();
  }, [written, place.toEnd]);

  const chunks = useMemo(() => chunksOf(messages), [messages]);
  const other = counterpartOf(log.room, claims.participant);
  const readUpTo = readBy(other?.participant ?? null, log.readMarks, messages);
  const unseen = countUnseen(messages, seen, claims.participant);
  const loading = props.state === "loading" && messages.length === 0;

  return (
    <div className="log-frame">
      <div
        className="log"
        ref={scroller}
        role="log"
        aria-live="off"
        aria-label={words.log.with(props.title)}
        aria-busy={loading || older === "loading"}
        tabIndex={0}
        onScroll={onScroll}
      >
        <div className="log-content">
          <div className="log-start">
            {messages.length > 0 && !log.hasOlder && <p className="quiet small">{words.log.beginning}</p>}
            {log.hasOlder && (
              <button type="button" className="plain" disabled={older === "loading"} onClick={loadOlder}>
                {older === "loading" ? words.log.loadingOlder : words.log.loadOlder}
              </button>
            )}
          </div>
          {loading && <Skeleton name={words.log.loading} />}
          {props.state === "failed" && messages.length === 0 && (
            <p className="log-note" role="status">
              {words.log.failed}{" "}
              <button type="button" className="plain" onClick={props.tryAgain}>
                {words.rooms.again}
              </button>
            </p>
          )}
          {chunks.map((chunk) => {
            const from = chunk.id * CHUNK;
            const to = from + CHUNK - 1;
            return (
              <ChunkView
                key={chunk.id}
                chunk={chunk}
                // Only what concerns this piece, so that a mark that moves draws two pieces and not all of them.
                readUpTo={Math.min(Math.max(readUpTo, from - 1), to)}
                marker={marker !== null && marker >= from - 1 && marker <= to ? marker : null}
                today={new Date(now).toDateString()}
              />
            );
          })}
          <div className="outgoing">
            {log.outgoing.map((message) => (
              <OutgoingRow key={message.messageId} outgoing={message} />
            ))}
          </div>
        </div>
      </div>
      {props.state === "failed" && messages.length > 0 && (
        <p className="log-going" role="status">
          {words.log.stale}{" "}
          <button type="button" className="plain" onClick={props.tryAgain}>
            {words.rooms.again}
          </button>
        </p>
      )}
      <Announcement messages={messages} />
      {going && (
        <p className="log-going" role="status">
          {words.search.going}
        </p>
      )}
      {!atEnd && (
        <button
          type="button"
          className="to-end"
          data-new={unseen > 0}
          onClick={() => {
            // This button goes away, and whoever pressed it reads on.
            scroller.current?.focus({ preventScroll: true });
            place.toEnd();
          }}
        >
          <Icon name="down" />
          <span className={unseen > 0 ? "" : "unseen"}>{unseen > 0 ? words.log.toNew(unseen) : words.log.toEnd}</span>
        </button>
      )}
    </div>
  );
}
/** As high as a few messages, so that little moves when they come. */
function Skeleton(props: { name: string }) {
  return (
    <div className="log-skeleton" role="status" aria-label={props.name}>
      {["other", "own", "other", "own"].map((side, index) => (
        <span key={index} data-side={side} />
      ))}
    </div>
  );
}
