import { memo } from "react";
import type { Room } from "@damso/client";
import { counterpartOf, nameOfRoom, usePerson } from "../person/person.tsx";
import { useInterface } from "../words/interface.tsx";
import { StatusBadge } from "./status-badge.tsx";

/** A conversation in the list. Always of the same height, whatever is in it. */
export const RoomRow = memo(function RoomRow(props: {
  room: Room;
  chosen: boolean;
  /** Whether the Tab key comes here; the arrow keys go to the others. */
  tabbable: boolean;
  now: number;
  choose: (roomId: string) => void;
}) {
  const { claims } = usePerson();
  const { words, format } = useInterface();
  const { room } = props;
  const last = room.last_message;
  const language = format.language(counterpartOf(room, claims.participant)?.language);
  const mine = last?.sender.participant === claims.participant;
  return (
    <li>
      <button
        type="button"
        className="room"
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
            {last === null ? (
              <span className="quiet">{words.rooms.noMessage}</span>
            ) : (
              <>
                {mine && <span className="quiet">{words.rooms.yourMessage} </span>}
                <bdi>{last.message}</bdi>
              </>
            )}
          </span>
          {room.unread_count > 0 && (
            <span className="unread">
              <span aria-hidden="true">{room.unread_count > 99 ? "99+" : format.number(room.unread_count)}</span>
              <span className="unseen">{words.rooms.unread(room.unread_count)}</span>
            </span>
          )}
        </span>
        <span className="room-bottom">
          {room.kind === "consult" && <StatusBadge status={room.status} />}
          {room.kind === "group" && <span className="quiet">{words.rooms.group(room.member_count ?? room.members.length)}</span>}
          {language !== null && <span className="quiet">{language}</span>}
        </span>
      </button>
    </li>
  );
});
