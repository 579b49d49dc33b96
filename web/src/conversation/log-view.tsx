import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import { Icon } from "../icons/icon.tsx";
import { counterpartOf, usePerson } from "../person/person.tsx";
import { useNow } from "../person/use-now.ts";
import { ChunkView } from "./chunk-view.tsx";
import { CHUNK_SIZE, chunksOf } from "./chunks.ts";
import { LiveRegion } from "./live-region.tsx";
import { OutgoingRow } from "./outgoing-row.tsx";
import { countUnread, lastReadBy } from "./read-state.ts";
import { useRoom } from "./room-context.tsx";
import { type JumpTarget, useJumpToEntry } from "./use-jump-to-entry.ts";
import { useReadState } from "./use-read-state.ts";
import { useScrollAnchor } from "./use-scroll-anchor.ts";

/** Older messages are loaded this close to the beginning. */
const LOAD_OLDER_WITHIN_PX = 800;
const PAGE_SIZE = 50;

export function LogView(props: {
  title: string;
  change: number;
  state: "loading" | "ready" | "failed";
  tryAgain: () => void;
  target: JumpTarget | null;
}) {
  const { claims } = usePerson();
  const { strings } = useI18n();
  const { log } = useRoom();
  const now = useNow(60_000);
  const scroller = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const [older, setOlder] = useState<"idle" | "loading" | "failed">("idle");
  const { messages } = log;

  const { seen, divider } = useReadState(messages, atEnd, props.state === "ready");
  const loadOlder = useCallback(() => {
    if (!log.hasOlder || older === "loading") return;
    setOlder("loading");
    log.loadOlder(PAGE_SIZE).then(
      () => setOlder("idle"),
      () => setOlder("failed"),
    );
  }, [log, older]);

  const { onScroll: keepAnchor, scrollToEnd, scrollToEntry } = useScrollAnchor(scroller, setAtEnd);
  const onScroll = () => {
    keepAnchor();
    if (older === "idle" && (scroller.current?.scrollTop ?? Infinity) < LOAD_OLDER_WITHIN_PX) loadOlder();
  };
  // A tall window may fit more than the first page.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `change` stands for the contents of `log`.
  useEffect(() => {
    const element = scroller.current;
    if (props.state !== "ready" || older !== "idle" || element === null) return;
    if (element.scrollHeight <= element.clientHeight) loadOlder();
  }, [props.state, props.change, older, loadOlder]);

  const jumping = useJumpToEntry(props.target, scroller, scrollToEntry);

  // A room with many new messages opens at the first of them.
  const positioned = useRef(false);
  useEffect(() => {
    if (positioned.current || props.state !== "ready" || messages.length === 0) return;
    positioned.current = true;
    const firstUnread = scroller.current?.querySelector(".unread-divider");
    const element = scroller.current;
    if (firstUnread == null || element === null) return;
    if (firstUnread.getBoundingClientRect().top < element.getBoundingClientRect().top) scrollToEntry(firstUnread);
  });

  // Show a message that was just sent.
  const lastSent = log.outgoing.at(-1)?.messageId;
  useEffect(() => {
    if (lastSent !== undefined) scrollToEnd();
  }, [lastSent, scrollToEnd]);

  const chunks = useMemo(() => chunksOf(messages), [messages]);
  const other = counterpartOf(log.room, claims.participant);
  const readUpTo = lastReadBy(other?.participant ?? null, log.readMarkers, messages);
  const unread = countUnread(messages, seen, claims.participant);
  const loading = props.state === "loading" && messages.length === 0;

  return (
    <div className="log-frame">
      <div
        className="log"
        ref={scroller}
        role="log"
        aria-live="off"
        aria-label={strings.log.with(props.title)}
        aria-busy={loading || older === "loading"}
        tabIndex={0}
        onScroll={onScroll}
      >
        <div className="log-content">
          <div className="log-start">
            {messages.length > 0 && !log.hasOlder && <p className="muted small">{strings.log.beginning}</p>}
            {log.hasOlder && (
              <button type="button" className="text-button" disabled={older === "loading"} onClick={loadOlder}>
                {older === "loading" ? strings.log.loadingOlder : strings.log.loadOlder}
              </button>
            )}
          </div>
          {loading && <Skeleton name={strings.log.loading} />}
          {props.state === "failed" && messages.length === 0 && (
            <p className="log-note" role="status">
              {strings.log.failed}{" "}
              <button type="button" className="text-button" onClick={props.tryAgain}>
                {strings.rooms.retry}
              </button>
            </p>
          )}
          {chunks.map((chunk) => {
            const from = chunk.id * CHUNK_SIZE;
            const to = from + CHUNK_SIZE - 1;
            return (
              <ChunkView
                key={chunk.id}
                chunk={chunk}
                // Clamped to this chunk, so that a moving read marker renders two chunks and not all of them.
                readUpTo={Math.min(Math.max(readUpTo, from - 1), to)}
                dividerAfter={divider !== null && divider >= from - 1 && divider <= to ? divider : null}
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
        <p className="log-toast" role="status">
          {strings.log.stale}{" "}
          <button type="button" className="text-button" onClick={props.tryAgain}>
            {strings.rooms.retry}
          </button>
        </p>
      )}
      <LiveRegion messages={messages} />
      {jumping && (
        <p className="log-toast" role="status">
          {strings.search.jumping}
        </p>
      )}
      {!atEnd && (
        <button
          type="button"
          className="jump-to-end"
          data-new={unread > 0}
          onClick={() => {
            // This button disappears, so its focus moves to the log.
            scroller.current?.focus({ preventScroll: true });
            scrollToEnd();
          }}
        >
          <Icon name="down" />
          <span className={unread > 0 ? "" : "visually-hidden"}>
            {unread > 0 ? strings.log.toNew(unread) : strings.log.toEnd}
          </span>
        </button>
      )}
    </div>
  );
}

/** About as high as a few messages, so that little moves when they arrive. */
function Skeleton(props: { name: string }) {
  return (
    <div className="log-skeleton" role="status" aria-label={props.name}>
      <span data-side="other" />
      <span data-side="own" />
      <span data-side="other" />
      <span data-side="own" />
    </div>
  );
}
