/** What every message of a conversation is drawn with. Changes seldom: not with each message. */
import { createContext, use } from "react";
import type { Room, RoomLog } from "@damso/client";
import type { Reading } from "./reading.ts";

export interface RoomView {
  log: RoomLog;
  kind: Room["kind"] | null;
  mode: Room["translation"];
  closed: boolean;
  /** The language that I read, and the one that the other side reads. */
  mine: string | null;
  theirs: string | null;
  reading: Reading;
  /** Up to here the log stood there when the room was opened; what is beyond it came while somebody looked. */
  history: number;
  /** Names by user and by participant, as far as the log has told them. */
  names: ReadonlyMap<string, string>;
}

export const RoomContext = createContext<RoomView | null>(null);

export function useRoom(): RoomView {
  const view = use(RoomContext);
  if (view === null) throw new Error("there is no RoomContext around this");
  return view;
}
