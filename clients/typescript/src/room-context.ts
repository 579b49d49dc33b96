import type { Timing } from "./api.js";
import type { Log } from "./log.js";
import type { Outbox } from "./outbox.js";
import type { Message, Room, Sender } from "./protocol.js";
import type { Requests } from "./requests.js";
import type { Timers } from "./timers.js";

/** What all rooms of a client share. */
export interface RoomContext {
  readonly requests: Requests;
  readonly outbox: Outbox;
  readonly timing: Timing;
  readonly timers: Timers;
  readonly random: () => number;
  /** The caller as the server names them, and their default language. Null while unknown. */
  self(): { sender: Sender; language: string | null } | null;
  knownRoom(roomId: string): Room | null;
  updateRoom(room: Room): void;
  /** The caller has read up to `seq`, which leaves this many entries unread. */
  readUpTo(roomId: string, seq: number, unreadCount: number): void;
  entrySeen(message: Message): void;
  roomChanged(roomId: string): void;
  entryAppended(message: Message): void;
}

/** An open room, as the parts that keep it up to date see it. */
export interface OpenRoom {
  readonly roomId: string;
  readonly room: Room | null;
  readonly log: Log;
  readonly isOpen: boolean;
  /** Adds entries to the log, from any source and in any order. */
  add(messages: readonly Message[]): void;
}
