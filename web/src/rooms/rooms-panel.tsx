import type { RoomStatus } from "@damso/client";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Disclosure } from "../disclosure/disclosure.tsx";
import { useI18n } from "../i18n/i18n-context.tsx";
import { Icon } from "../icons/icon.tsx";
import { usePerson } from "../person/person.tsx";
import { useConnection, useRooms } from "../person/use-client.ts";
import { useNow } from "../person/use-now.ts";
import { AccountPanel } from "./account-panel.tsx";
import { NewConsult } from "./new-consult.tsx";
import { matchesQuery } from "./room-filter.ts";
import { RoomRow } from "./room-row.tsx";
import { STATUSES } from "./statuses.ts";
import { useArrowKeys } from "./use-arrow-keys.ts";

/** How many further pages a search loads. */
const MAX_SEARCH_PAGES = 10;

/** The signed-in person and their conversations. */
export function RoomsPanel(props: { chosen: string | null; choose: (roomId: string) => void }) {
  const { client, claims, name, isStaff } = usePerson();
  const { strings } = useI18n();
  const { list, change } = useRooms();
  const online = useConnection() === "online";
  const now = useNow(60_000);
  const [query, setQuery] = useState("");
  const [status, setStatus] = useState<RoomStatus | undefined>();
  const [state, setState] = useState<"loading" | "ready" | "failed">("loading");
  const [starting, setStarting] = useState(false);
  const startButton = useRef<HTMLButtonElement>(null);
  const arrowKeys = useArrowKeys();
  const [focusedRoom, setFocusedRoom] = useState<string | null>(null);

  // A stable callback, so that a row renders only when the row itself changes.
  const latestChoose = useRef(props.choose);
  latestChoose.current = props.choose;
  const choose = useCallback((roomId: string) => latestChoose.current(roomId), []);

  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt loads the list again.
  useEffect(() => {
    let current = true;
    setState("loading");
    client.rooms.load(status).then(
      () => current && setState("ready"),
      () => current && setState("failed"),
    );
    return () => {
      current = false;
    };
  }, [client, status, attempt]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `change` stands for the contents of `list`.
  const found = useMemo(
    () => list.rooms.filter((room) => matchesQuery(room, query, claims.participant)),
    [list, change, query, claims],
  );
  const isFound = (roomId: string | null) => found.some((room) => room.room_id === roomId);
  const tabbable = isFound(focusedRoom) ? focusedRoom : isFound(props.chosen) ? props.chosen : found[0]?.room_id;
  // Lists of rooms leave out the caller, so the name is known once a conversation has been opened.
  const hospital = list.rooms
    .flatMap((room) => room.members)
    .find((member) => member.participant === claims.participant && member.name !== null);
  const loading = state === "loading" && list.rooms.length === 0;

  // A match may be further down than what is loaded. The search has a limit: a hospital can have tens of thousands.
  const [pagesSearched, setPagesSearched] = useState(0);
  const idle = query.trim() === "";
  const searching = !idle && list.hasMore && pagesSearched < MAX_SEARCH_PAGES;
  // biome-ignore lint/correctness/useExhaustiveDependencies: every new search starts from zero.
  useEffect(() => setPagesSearched(0), [idle, status]);
  useEffect(() => {
    if (!searching || list.loading || state !== "ready" || !online) return;
    list.loadMore().then(
      () => setPagesSearched((pages) => pages + 1),
      () => setPagesSearched(MAX_SEARCH_PAGES),
    );
  }, [searching, list, list.loading, state, online]);

  return (
    <nav className="rooms" aria-label={strings.rooms.title}>
      <h1 className="visually-hidden">{strings.rooms.title}</h1>
      <header className="rooms-header">
        <div className="account">
          <span className="account-name" dir="auto">
            {name}
          </span>
          <span className="muted small">
            <span className="online-dot" data-online={online} aria-hidden="true" />
            {isStaff ? strings.staff : strings.patient}
            {claims.hospitalId !== null && (
              <>
                {" · "}
                <bdi>{hospital?.name ?? claims.hospitalId}</bdi>
              </>
            )}
          </span>
        </div>
        <button
          ref={startButton}
          type="button"
          className="icon-button"
          aria-label={strings.consult.start}
          title={strings.consult.start}
          aria-expanded={starting}
          onClick={() => setStarting(!starting)}
        >
          <Icon name="plus" />
        </button>
        <Disclosure icon="settings" name={strings.more}>
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
          aria-label={strings.rooms.search}
          placeholder={strings.rooms.search}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => event.key === "Escape" && setQuery("")}
        />
      </div>
      <div className="status-filter" role="group" aria-label={strings.rooms.filter}>
        {([undefined, ...STATUSES] as const).map((choice) => (
          <button
            key={choice ?? "all"}
            type="button"
            aria-pressed={status === choice}
            onClick={() => setStatus(choice)}
          >
            {choice === undefined ? strings.rooms.all : strings.status[choice]}
          </button>
        ))}
      </div>
      <div className="rooms-scroll">
        <ul
          className="room-list"
          aria-busy={loading}
          {...arrowKeys}
          onFocus={(event) => setFocusedRoom(event.target.dataset.room ?? null)}
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
            {strings.rooms.failed}{" "}
            <button type="button" className="text-button" onClick={() => setAttempt(attempt + 1)}>
              {strings.rooms.retry}
            </button>
          </p>
        )}
        {state === "ready" && found.length === 0 && (
          <div className="rooms-note" role="status">
            <p>{query === "" ? strings.rooms.none : searching ? strings.search.searching : strings.rooms.noneFound}</p>
            <p className="muted small">
              {query === "" ? strings.rooms.noneHint[isStaff ? "staff" : "patient"] : strings.rooms.noneFoundHint}
            </p>
          </div>
        )}
        {list.hasMore && !loading && (
          <button
            type="button"
            className="text-button rooms-more"
            disabled={list.loading}
            onClick={() => void list.loadMore().catch(() => undefined)}
          >
            {strings.rooms.more}
          </button>
        )}
      </div>
    </nav>
  );
}
