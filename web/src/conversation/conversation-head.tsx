import type { RefObject } from "react";
import type { Room, TranslationMode } from "@damso/client";
import { Disclosure } from "../disclosure/disclosure.tsx";
import { Icon } from "../icons/icon.tsx";
import { counterpartOf, usePerson } from "../person/person.tsx";
import { StatusBadge } from "../rooms/status-badge.tsx";
import { useInterface } from "../words/interface.tsx";
import { ModeChoice } from "./mode-choice.tsx";
import type { Reading } from "./reading.ts";
import { ReadingChoice } from "./reading-choice.tsx";
import { StatusChoice } from "./status-choice.tsx";

export function ConversationHead(props: {
  title: string;
  room: Room | null;
  mode: TranslationMode | undefined;
  reading: Reading;
  chooseReading: (reading: Reading) => void;
  leave: () => void;
  searching: boolean;
  searchButton: RefObject<HTMLButtonElement | null>;
  toggleSearch: () => void;
}) {
  const { claims } = usePerson();
  const { words, format } = useInterface();
  const { room } = props;
  const language = format.language(counterpartOf(room, claims.participant)?.language);
  return (
    <header className="conversation-head">
      <button type="button" className="round leave" aria-label={words.back} title={words.back} onClick={props.leave}>
        <Icon name="back" />
      </button>
      <div className="conversation-title">
        <h1 tabIndex={-1}>
          <bdi title={props.title}>{props.title}</bdi>
        </h1>
        <p className="quiet small">
          {room?.kind === "consult" && <StatusBadge status={room.status} />}
          {room?.kind === "group" && <span>{words.rooms.group(room.member_count ?? room.members.length)}</span>}
          {language !== null && <span>{language}</span>}
          {props.mode !== undefined && props.mode !== "auto" && (
            <span>
              {words.mode.label}: {words.mode[props.mode]}
            </span>
          )}
        </p>
      </div>
      <button
        type="button"
        className="round"
        ref={props.searchButton}
        aria-label={words.search.open}
        title={words.search.open}
        aria-expanded={props.searching}
        onClick={props.toggleSearch}
      >
        <Icon name="search" />
      </button>
      <Disclosure icon="settings" name={words.more}>
        {() => (
          <>
            {room?.kind === "consult" && <StatusChoice room={room} />}
            {room?.kind === "consult" && <ModeChoice roomId={room.room_id} current={props.mode ?? "auto"} />}
            <ReadingChoice reading={props.reading} choose={props.chooseReading} />
          </>
        )}
      </Disclosure>
    </header>
  );
}
