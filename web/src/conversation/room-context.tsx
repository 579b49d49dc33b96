/** What every message of a conversation needs to render. Changes rarely, not with each message. */
import type { Room, RoomLog } from "@damso/client";
import { createContext, use } from "react";
import type { ReadingPreferences } from "./reading-preferences.ts";

export interface RoomView {
  log: RoomLog;
  kind: Room["kind"] | null;
  mode: Room["translation"];
  closed: boolean;
  /** The language that this person reads. */
  ownLanguage: string | null;
  /** The language that the other side reads. */
  otherLanguage: string | null;
  reading: ReadingPreferences;
  /** The last entry that was there when the room was opened. Later ones arrived while somebody was looking. */
  lastSeqAtOpening: number;
  /** Names by user and by participant, as far as the log contains them. */
  names: ReadonlyMap<string, string>;
}

export const RoomContext = createContext<RoomView | null>(null);

export function useRoom(): RoomView {
  const view = use(RoomContext);
  if (view === null) throw new Error("useRoom needs a RoomContext around the component");
  return view;
}
