import type { Sender } from "@damso/client";
import { idOf } from "../person/person.tsx";

/** The name of whoever wrote an entry: their own, that of their hospital, or an id. */
export function senderName({ name, user_id, participant }: Sender, names: ReadonlyMap<string, string>): string {
  return name ?? names.get(user_id) ?? names.get(participant) ?? idOf(participant);
}
