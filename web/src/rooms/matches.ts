import type { Room } from "@damso/client";
import { nameOfRoom } from "../person/person.tsx";

const plain = (text: string) => text.normalize("NFKC").toLocaleLowerCase();

/** Whether a room is meant by what somebody looks for: every word of it in the room's names or its last message. */
export function matches(room: Room, query: string, self: string): boolean {
  const text = plain(
    [nameOfRoom(room, self), room.name, ...room.members.flatMap((member) => [member.name, member.participant]), room.last_message?.message]
      .filter((part) => part != null)
      .join("\n"),
  );
  return plain(query).split(/\s+/).every((word) => text.includes(word));
}
