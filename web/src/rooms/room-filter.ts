import type { Room } from "@damso/client";
import { fold } from "../i18n/fold.ts";
import { nameOfRoom } from "../person/person.tsx";

/** Whether every word of the query occurs in the names of a room or in its last message. */
export function matchesQuery(room: Room, query: string, self: string): boolean {
  const text = fold(
    [
      nameOfRoom(room, self),
      room.name,
      ...room.members.flatMap((member) => [member.name, member.participant]),
      room.last_message?.message,
      room.last_message?.translation?.text,
    ]
      .filter((part) => part != null)
      .join("\n"),
  );
  return fold(query)
    .split(/\s+/)
    .every((word) => text.includes(word));
}
