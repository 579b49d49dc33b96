import { useEffect, useMemo, useRef, useState } from "react";
import { counterpartOf, nameOfRoom, usePerson } from "../person/person.tsx";
import { useLog } from "../person/use-client.ts";
import { useInterface } from "../words/interface.tsx";
import { Composer } from "./composer.tsx";
import { ConversationHead } from "./conversation-head.tsx";
import { LogView } from "./log-view.tsx";
import { RoomContext, type RoomView } from "./room-context.tsx";
import { SearchPanel } from "./search-panel.tsx";
import { useReading } from "./use-reading.ts";

export interface Target {
  seq: number;
}

/** A room: its head, its log, and the field to write in. */
export function Conversation(props: { roomId: string; visits: number; leave: () => void }) {
  const { claims, name } = usePerson();
  const { words, language } = useInterface();
  const { log, change } = useLog(props.roomId);
  const [reading, chooseReading] = useReading();
  const [state, setState] = useState<"loading" | "ready" | "failed">(log.messages.length > 0 ? "ready" : "loading");
  const [attempt, setAttempt] = useState(0);
  const [searching, setSearching] = useState(false);
  const [target, setTarget] = useState<Target | null>(null);
  const searchButton = useRef<HTMLButtonElement>(null);
  const place = useRef<HTMLElement>(null);

  // Whoever opens it wants to write; where that would bring up a keyboard over half of the log, to read first.
  useEffect(() => {
    if (props.visits === 0) return;
    const field = place.current?.querySelector<HTMLElement>(".composer textarea");
    const alone = place.current?.querySelector<HTMLElement>(".leave")?.offsetParent !== null;
    const heading = place.current?.querySelector<HTMLElement>("h1");
    (alone || matchMedia("(pointer: coarse)").matches ? heading : (field ?? heading))?.focus();
  }, [props.visits]);

  useEffect(() => {
    let current = true;
    log.open().then(
      () => current && setState("ready"),
      () => current && setState("failed"),
    );
    return () => {
      current = false;
      log.leave();
    };
  }, [log, attempt]);

  const history = useRef(Infinity);
  if (state === "ready" && history.current === Infinity) history.current = log.messages.at(-1)?.seq ?? 0;

  const names = useRef(new Map<string, string>()).current;
  useMemo(() => {
    names.set(claims.userId, name);
    for (const member of log.room?.members ?? []) if (member.name !== null) names.set(member.participant, member.name);
    for (const { sender } of log.messages) if (sender.name !== undefined) names.set(sender.user_id, sender.name);
  }, [names, log, change, claims, name]);

  const { room } = log;
  const me = room?.members.find((member) => member.participant === claims.participant);
  const mine = me?.language ?? claims.language ?? language;
  const theirs = counterpartOf(room, claims.participant)?.language ?? null;
  const kind = room?.kind ?? null;
  const mode = room?.translation;
  const closed = room?.status === "closed";
  const view = useMemo<RoomView>(
    () => ({ log, kind, mode, closed, mine, theirs, reading, history: history.current, names }),
    [log, kind, mode, closed, mine, theirs, reading, state, names],
  );
  const title = nameOfRoom(room, claims.participant) || props.roomId;

  return (
    <RoomContext value={view}>
      <section
        ref={place}
        className="conversation"
        aria-label={words.log.with(title)}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || event.defaultPrevented || event.nativeEvent.isComposing) return;
          if (searching) {
            setSearching(false);
            searchButton.current?.focus();
          } else props.leave();
        }}
      >
        <ConversationHead
          title={title}
          room={room}
          mode={mode}
          reading={reading}
          chooseReading={chooseReading}
          leave={props.leave}
          searching={searching}
          searchButton={searchButton}
          toggleSearch={() => setSearching(!searching)}
        />
        <div className="conversation-body">
          <LogView
            title={title}
            change={change}
            state={state}
            tryAgain={() => {
              setState("loading");
              setAttempt(attempt + 1);
            }}
            target={target}
          />
          {searching && (
            <SearchPanel
              goTo={(seq) => setTarget({ seq })}
              close={() => {
                setSearching(false);
                searchButton.current?.focus();
              }}
            />
          )}
        </div>
        <Composer />
      </section>
    </RoomContext>
  );
}
