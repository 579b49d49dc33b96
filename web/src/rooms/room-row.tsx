import type { Room } from "@damso/client";
import { memo } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import { counterpartOf, nameOfRoom, usePerson } from "../person/person.tsx";
import { previewOf } from "./preview.ts";
import { StatusBadge } from "./status-badge.tsx";

/** A conversation in the list. All rows have the same height. */
export const RoomRow = memo(function RoomRow(props: {
  room: Room;
  chosen: boolean;
  /** Whether Tab focuses this row; arrow keys reach the others. */
  tabbable: boolean;
  now: number;
  choose: (roomId: string) => void;
}) {
  const { claims } = usePerson();
  const { strings, format } = useI18n();
  const { room } = props;
  const last = room.last_message;
  const preview = last === null ? null : previewOf(last);
  const language = format.language(counterpartOf(room, claims.participant)?.language);
  const isOwn = last?.sender.participant === claims.participant;
  return (
    <li>
      <button
        type="button"
        className="room-row"
        data-room={room.room_id}
        tabIndex={props.tabbable ? 0 : -1}
        aria-current={props.chosen ? "true" : undefined}
        data-unread={room.unread_count > 0}
        onClick={() => props.choose(room.room_id)}
      >
        <span className="room-top">
          <bdi className="room-name">{nameOfRoom(room, claims.participant)}</bdi>
          {last !== null && (
            <time className="room-time" dateTime={new Date(last.sent_at).toISOString()}>
              {format.short(last.sent_at, props.now)}
            </time>
          )}
        </span>
        <span className="room-middle">
          <span className="room-last">
            {preview === null ? (
              <span className="muted">{strings.rooms.noMessage}</span>
            ) : (
              <>
                {isOwn && <span className="muted">{strings.rooms.yourMessage} </span>}
                <bdi lang={preview.language}>{preview.text}</bdi>
              </>
            )}
          </span>
          {room.unread_count > 0 && (
            <span className="unread-count">
              <span aria-hidden="true">{room.unread_count > 99 ? "99+" : format.number(room.unread_count)}</span>
              <span className="visually-hidden">{strings.rooms.unread(room.unread_count)}</span>
            </span>
          )}
        </span>
        <span className="room-bottom">
          {room.kind === "consult" && <StatusBadge status={room.status} />}
          {room.kind === "group" && (
            <span className="muted">{strings.rooms.group(room.member_count ?? room.members.length)}</span>
          )}
          {language !== null && <span className="muted">{language}</span>}
        </span>
      </button>
    </li>
  );
});
