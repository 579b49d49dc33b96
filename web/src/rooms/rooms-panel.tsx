import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { RoomStatus } from "@damso/client";
import { Disclosure } from "../disclosure/disclosure.tsx";
import { Icon } from "../icons/icon.tsx";
import { usePerson } from "../person/person.tsx";
import { useConnection, useRooms } from "../person/use-client.ts";
import { useInterface } from "../words/interface.tsx";
import { AccountPanel } from "./account-panel.tsx";
import { matches } from "./matches.ts";
import { NewConsult } from "./new-consult.tsx";
import { RoomRow } from "./room-row.tsx";
import { STATUSES } from "./statuses.ts";
import { useArrows } from "./use-arrows.ts";
import { useNow } from "../person/use-now.ts";

/** So many further pages are looked through for what somebody searches. */
const MOST_PAGES = 10;

/** Who I am, and with whom I talk. */
export function RoomsPanel(props: { chosen: string | null; choose: (roomId: string) => void }) {
  const { client, claims, name, isStaff } = usePerson();
  const { words } = useInterface();
  const { list, change } = useRooms();
  const online = useConnection() === "online";
  const now = useNow(60_000);
  const [query, setQuery] = useState("");
  const [status, setStatus] = useState<RoomStatus | undefined>();
  const [state, setState] = useState<"loading" | "ready" | "failed">("loading");
  const [starting, setStarting] = useState(false);
  const startButton = useRef<HTMLButtonElement>(null);
  const arrows = useArrows();
  const [walkedTo, setWalkedTo] = useState<string | null>(null);

  // The same for all drawings, so that a row is drawn anew for its own sake only.
  const latestChoose = useRef(props.choose);
  latestChoose.current = props.choose;
  const choose = useCallback((roomId: string) => latestChoose.current(roomId), []);

  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let current = true;
    setState("loading");
    client.rooms.show(status).then(
      () => current && setState("ready"),
      () => current && setState("failed"),
    );
    return () => void (current = false);
  }, [client, status, attempt]);

  const found = useMemo(() => list.rooms.filter((room) => matches(room, query, claims.participant)), [list, change, query, claims]);
  const isFound = (roomId: string | null) => found.some((room) => room.room_id === roomId);
  const tabbable = isFound(walkedTo) ? walkedTo : isFound(props.chosen) ? props.chosen : found[0]?.room_id;
  const loading = state === "loading" && list.rooms.length === 0;

  // What is looked for may stand further down than what is loaded. Not for ever: a hospital may have tens of thousands.
  const [lookedThrough, setLookedThrough] = useState(0);
  const idle = query.trim() === "";
  const looking = !idle && list.hasMore && lookedThrough < MOST_PAGES;
  useEffect(() => setLookedThrough(0), [idle, status]);
  useEffect(() => {
    if (!looking || list.loading || state !== "ready" || !online) return;
    list.loadMore().then(
      () => setLookedThrough((pages) => pages + 1),
      () => setLookedThrough(MOST_PAGES),
    );
  }, [looking, list, list.loading, state, online]);

  return (
    <nav className="rooms" aria-label={words.rooms.title}>
      <h1 className="unseen">{words.rooms.title}</h1>
      <header className="rooms-head">
        <div className="who">
          <span className="who-name" dir="auto">
            {name}
          </span>
          <span className="quiet small">
            <span className="lamp" data-online={online} aria-hidden="true" />
            {isStaff ? words.staff : words.patient}
            {claims.hospitalId !== null && <bdi> · {claims.hospitalId}</bdi>}
          </span>
        </div>
        <button
          ref={startButton}
          type="button"
          className="round"
          aria-label={words.consult.start}
          title={words.consult.start}
          aria-expanded={starting}
          onClick={() => setStarting(!starting)}
        >
          <Icon name="plus" />
        </button>
        <Disclosure icon="settings" name={words.more}>
          {() => <AccountPanel />}
        </Disclosure>
      </header>
      {starting && (
        <NewConsult
          done={(roomId) => {
            setStarting(false);
            if (roomId === null) startButton.current?.focus();
            else props.choose(roomId);
          }}
        />
      )}
      <div className="rooms-search">
        <Icon name="search" />
        <input
          type="search"
          value={query}
          aria-label={words.rooms.search}
          placeholder={words.rooms.search}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => event.key === "Escape" && setQuery("")}
        />
      </div>
      <div className="status-filter" role="group" aria-label={words.rooms.filter}>
        {([undefined, ...STATUSES] as const).map((choice) => (
          <button key={choice ?? "all"} type="button" aria-pressed={status === choice} onClick={() => setStatus(choice)}>
            {choice === undefined ? words.rooms.all : words.status[choice]}
          </button>
        ))}
      </div>
      <div className="rooms-scroll">
        <ul
          className="room-list"
          aria-busy={loading}
          {...arrows}
          onFocus={(event) => setWalkedTo(event.target.dataset["room"] ?? null)}
        >
          {loading && [0, 1, 2, 3].map((line) => <li key={line} className="room-skeleton" aria-hidden="true" />)}
          {found.map((room) => (
            <RoomRow
              key={room.room_id}
              room={room}
              chosen={room.room_id === props.chosen}
              tabbable={room.room_id === tabbable}
              now={now}
              choose={choose}
            />
          ))}
        </ul>
        {state === "failed" && list.rooms.length === 0 && (
          <p className="rooms-note" role="status">
            {words.rooms.failed}{" "}
            <button type="button" className="plain" onClick={() => setAttempt(attempt + 1)}>
              {words.rooms.again}
            </button>
          </p>
        )}
        {state === "ready" && found.length === 0 && (
          <div className="rooms-note" role="status">
            <p>{query === "" ? words.rooms.none : looking ? words.search.searching : words.rooms.noneFound}</p>
            <p className="quiet small">
              {query === "" ? words.rooms.noneHint[isStaff ? "staff" : "patient"] : words.rooms.noneFoundHint}
            </p>
          </div>
        )}
        {list.hasMore && !loading && (
          <button type="button" className="plain rooms-more" disabled={list.loading} onClick={() => void list.loadMore().catch(() => undefined)}>
            {words.rooms.more}
          </button>
        )}
      </div>
    </nav>
  );
}
