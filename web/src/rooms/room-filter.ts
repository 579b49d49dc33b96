import type { Room } from "@damso/client";
import { nameOfRoom } from "../person/person.tsx";

const normalize = (text: string) => text.normalize("NFKC").toLocaleLowerCase();

/** Whether every word of the query occurs in the names of a room or in its last message. */
export function matchesQuery(room: Room, query: string, self: string): boolean {
  const text = normalize(
    [
      nameOfRoom(room, self),
      room.name,
      ...room.members.flatMap((member) => [member.name, member.participant]),
      room.last_message?.message,
    ]
      .filter((part) => part != null)
      .join("\n"),
  );
  return normalize(query)
    .split(/\s+/)
    .every((word) => text.includes(word));
}
