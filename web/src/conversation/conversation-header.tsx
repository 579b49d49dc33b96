import type { Room, TranslationMode } from "@damso/client";
import type { RefObject } from "react";
import { Disclosure } from "../disclosure/disclosure.tsx";
import { useI18n } from "../i18n/i18n-context.tsx";
import { Icon } from "../icons/icon.tsx";
import { counterpartOf, usePerson } from "../person/person.tsx";
import { StatusBadge } from "../rooms/status-badge.tsx";
import type { ReadingPreferences } from "./reading-preferences.ts";
import { ReadingPreferencesPicker } from "./reading-preferences-picker.tsx";
import { StatusPicker } from "./status-picker.tsx";
import { TranslationModePicker } from "./translation-mode-picker.tsx";

export function ConversationHeader(props: {
  title: string;
  room: Room | null;
  mode: TranslationMode | undefined;
  reading: ReadingPreferences;
  setReading: (reading: ReadingPreferences) => void;
  leave: () => void;
  searching: boolean;
  searchButton: RefObject<HTMLButtonElement | null>;
  toggleSearch: () => void;
}) {
  const { claims } = usePerson();
  const { strings, format } = useI18n();
  const { room } = props;
  const language = format.language(counterpartOf(room, claims.participant)?.language);
  return (
    <header className="conversation-header">
      <button
        type="button"
        className="icon-button back-button"
        aria-label={strings.back}
        title={strings.back}
        onClick={props.leave}
      >
        <Icon name="back" />
      </button>
      <div className="conversation-title">
        <h1 tabIndex={-1}>
          <bdi title={props.title}>{props.title}</bdi>
        </h1>
        <p className="muted small">
          {room?.kind === "consult" && <StatusBadge status={room.status} />}
          {room?.kind === "group" && <span>{strings.rooms.group(room.member_count ?? room.members.length)}</span>}
          {language !== null && <span>{language}</span>}
          {props.mode !== undefined && props.mode !== "auto" && (
            <span>
              {strings.mode.label}: {strings.mode[props.mode]}
            </span>
          )}
        </p>
      </div>
      <button
        type="button"
        className="icon-button"
        ref={props.searchButton}
        aria-label={strings.search.open}
        title={strings.search.open}
        aria-expanded={props.searching}
        onClick={props.toggleSearch}
      >
        <Icon name="search" />
      </button>
      <Disclosure icon="settings" name={strings.more}>
        {() => (
          <>
            {room?.kind === "consult" && <StatusPicker room={room} />}
            {room?.kind === "consult" && <TranslationModePicker roomId={room.room_id} current={props.mode ?? "auto"} />}
            <ReadingPreferencesPicker preferences={props.reading} save={props.setReading} />
          </>
        )}
      </Disclosure>
    </header>
  );
}
