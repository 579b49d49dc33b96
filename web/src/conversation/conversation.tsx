import { useEffect, useMemo, useRef, useState } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import { counterpartOf, nameOfRoom, usePerson } from "../person/person.tsx";
import { useLog } from "../person/use-client.ts";
import { Composer } from "./composer.tsx";
import { ConversationHeader } from "./conversation-header.tsx";
import { LogView } from "./log-view.tsx";
import { RoomContext, type RoomView } from "./room-context.tsx";
import { SearchPanel } from "./search-panel.tsx";
import type { JumpTarget } from "./use-jump-to-entry.ts";
import { useReadingPreferences } from "./use-reading-preferences.ts";

/** An open room: header, log, search and composer. */
export function Conversation(props: { roomId: string; visits: number; leave: () => void }) {
  const { client, claims, name, isStaff } = usePerson();
  const { strings, language } = useI18n();
  const { log, change } = useLog(props.roomId);
  const [reading, setReading] = useReadingPreferences();
  const [state, setState] = useState<"loading" | "ready" | "failed">(log.messages.length > 0 ? "ready" : "loading");
  const [attempt, setAttempt] = useState(0);
  const [searching, setSearching] = useState(false);
  const [target, setTarget] = useState<JumpTarget | null>(null);
  const searchButton = useRef<HTMLButtonElement>(null);
  const section = useRef<HTMLElement>(null);

  // Focus the composer, but the heading on phones, where a keyboard would cover half of the log.
  useEffect(() => {
    if (props.visits === 0) return;
    const field = section.current?.querySelector<HTMLElement>(".composer textarea");
    const fillsScreen = section.current?.querySelector<HTMLElement>(".back-button")?.offsetParent !== null;
    const heading = section.current?.querySelector<HTMLElement>("h1");
    (fillsScreen || matchMedia("(pointer: coarse)").matches ? heading : (field ?? heading))?.focus();
  }, [props.visits]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt opens the log again.
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

  const atOpening = useRef(Infinity);
  if (state === "ready" && atOpening.current === Infinity) atOpening.current = log.messages.at(-1)?.seq ?? 0;
  const lastSeqAtOpening = atOpening.current;

  const names = useRef(new Map<string, string>()).current;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `change` stands for the contents of `log`.
  useMemo(() => {
    names.set(claims.userId, name);
    for (const member of log.room?.members ?? []) if (member.name !== null) names.set(member.participant, member.name);
    for (const { sender } of log.messages) if (sender.name !== undefined) names.set(sender.user_id, sender.name);
  }, [names, log, change, claims, name]);

  const { room } = log;
  const me = room?.members.find((member) => member.participant === claims.participant);
  // The language of a hospital is not necessarily that of its staff.
  const personal = isStaff ? (claims.language ?? me?.language) : (me?.language ?? claims.language);
  const ownLanguage = client.language ?? personal ?? language;
  const otherLanguage = counterpartOf(room, claims.participant)?.language ?? null;
  const kind = room?.kind ?? null;
  const mode = room?.translation;
  const closed = room?.status === "closed";
  const view = useMemo<RoomView>(
    () => ({
      log,
      kind,
      mode,
      closed,
      ownLanguage,
      otherLanguage,
      reading,
      lastSeqAtOpening,
      names,
    }),
    [log, kind, mode, closed, ownLanguage, otherLanguage, reading, lastSeqAtOpening, names],
  );
  const title = nameOfRoom(room, claims.participant) || props.roomId;

  return (
    <RoomContext value={view}>
      <section
        ref={section}
        className="conversation"
        aria-label={strings.log.with(title)}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || event.defaultPrevented || event.nativeEvent.isComposing) return;
          if (searching) {
            setSearching(false);
            searchButton.current?.focus();
          } else props.leave();
        }}
      >
        <ConversationHeader
          title={title}
          room={room}
          mode={mode}
          reading={reading}
          setReading={setReading}
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
              jumpTo={(seq) => setTarget({ seq })}
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
