import type { Action, Message, Refusal, Replies, Requests, Room, RoomStatus, Sender, Translation } from "./protocol.js";

/** What a client needs to be told. */
export interface Options {
  /** `wss://…`, as the stack's first output says. */
  url: string;
  /** A valid token; asked for before every connection and before the session's end. */
  token: () => string | Promise<string>;
  /** Where what is not sent yet outlives a reload; left out, it does not. */
  outbox?: OutboxStorage;
  /** Left out: the global one (browsers, Node 22). For older Nodes, the one of the package `ws`. */
  WebSocket?: new (url: string, protocols: string[]) => WebSocketLike;
  /** For tests: how long everything waits. */
  timing?: Partial<Timing>;
  /** For tests: from 0 to below 1. */
  random?: () => number;
}

/** As much of a WebSocket as is used. */
export interface WebSocketLike {
  readonly protocol: string;
  send(data: string): void;
  close(code?: number): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason?: string }) => void) | null;
  onerror: ((event: unknown) => void) | null;
}

/** As much of `localStorage` as is used. */
export interface OutboxStorage {
  /** With these two, several tabs share the storage and none ever overwrites another's messages; without, it must be a tab's own. */
  readonly length?: number;
  key?(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** All waits, in milliseconds. */
export interface Timing {
  /** The first wait before a new connection; doubles up to `longestBackoff`, each with full jitter. */
  firstBackoff: number;
  longestBackoff: number;
  /** A request without a reply is repeated (if repeating it is free) or given up after this. */
  replyWithin: number;
  /** How long a gap may stand before it is asked for; up to as much again is added by chance. */
  gapAfter: number;
  /** A heartbeat (`sync`) comes at a time between these two. API Gateway ends idle connections after 10 minutes. */
  heartbeatFrom: number;
  heartbeatTo: number;
  /** A connection is replaced (make before break) at a time between these two. API Gateway ends them after 2 hours. */
  renewFrom: number;
  renewTo: number;
  /** The token is refreshed so long before its end. */
  refreshBefore: number;
}

export type ConnectionState =
  /** Not told to connect. */
  | "idle"
  | "connecting"
  | "online"
  /** Between two tries. */
  | "offline"
  /** The server took the session away (signed out, or the token is refused): a person has to sign in again. */
  | "signed_out";

/** A message on its way. */
export interface Outgoing {
  readonly messageId: string;
  readonly roomId: string;
  readonly text: string;
  readonly language?: string;
  readonly replyTo?: number;
  readonly createdAt: number;
  /** `refused` stays until it is retried or discarded. */
  readonly state: "queued" | "sending" | "refused";
  readonly refusal?: Refusal;
}

export interface ClientEvents {
  state: (state: ConnectionState) => void;
  /** The room list or a room of it changed. */
  rooms: () => void;
  /** A log changed: new entries, translations, outgoing messages, read marks, a hole filled. */
  room: (roomId: string) => void;
  /** Each entry that an open room's log grows by, once and in order, whatever the network did. */
  message: (message: Message) => void;
}

export interface Client {
  readonly state: ConnectionState;
  /** When the next try to connect comes, while `offline`. */
  readonly nextTryAt: number | null;
  /** What the server calls the caller; null until a message of one's own was seen. */
  readonly me: Sender | null;
  /** What is not acknowledged yet, in all rooms: what is lost where the outbox's storage is emptied. */
  readonly outgoing: readonly Outgoing[];
  readonly rooms: RoomList;
  connect(): void;
  close(): void;
  on<E extends keyof ClientEvents>(event: E, listener: ClientEvents[E]): () => void;
  /** Any action. Rejects with a `DamsoError`, or with a `ConnectionLost` where it was not answered and repeating it is not free. */
  request<A extends Action>(action: A, fields: Requests[A]): Promise<Replies[A]>;
  /**
   * Puts a message into the outbox, from where it is repeated with the same `message_id` until it is answered. `sent` resolves with the
   * acknowledgement and rejects with the refusal (`DamsoError`) or with `Discarded`; it need not be looked at.
   */
  send(roomId: string, text: string, options?: { language?: string; replyTo?: number }): { outgoing: Outgoing; sent: Promise<Replies["sendMessage"]> };
  /** A room's log, the same object for the same id. */
  room(roomId: string): RoomLog;
  /** Tries at once, for example when the browser says it is online again. */
  connectNow(): void;
}

export interface RoomList {
  /** What is loaded, most recent first. */
  readonly rooms: readonly Room[];
  readonly hasMore: boolean;
  readonly loading: boolean;
  /** Loads the first page, of a status or of all; what was loaded of another status is dropped. */
  show(status?: RoomStatus): Promise<void>;
  loadMore(): Promise<void>;
}

export interface RoomLog {
  readonly roomId: string;
  /** As last seen; null until the list or an event brought it. */
  readonly room: Room | null;
  /** Without a hole and in order, from the oldest loaded one on. */
  readonly messages: readonly Message[];
  /** On their way, in the order in which they were written. */
  readonly outgoing: readonly Outgoing[];
  /** Whether there is something before the oldest loaded entry. */
  readonly hasOlder: boolean;
  /** Read marks by participant. */
  readonly readMarks: Readonly<Record<string, number>>;
  /** Loads the newest page and listens to the room on this connection, also after a reconnect, until `leave`. */
  open(): Promise<void>;
  leave(): void;
  loadOlder(limit?: number): Promise<void>;
  /** Marks as read up to an entry; never back, coalesced. */
  markRead(seq: number): void;
  translate(seq: number, language: string): Promise<Translation>;
  /** Rejects with code `conflict` and the current translation where somebody else was faster. */
  correct(seq: number, language: string, text: string, version: number): Promise<Translation>;
  search(query: string): AsyncGenerator<readonly Message[]>;
  retry(messageId: string): void;
  discard(messageId: string): void;
}
