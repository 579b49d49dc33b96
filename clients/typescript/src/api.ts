import type { Action, Message, Refusal, Replies, Requests, Room, RoomStatus, Sender, Translation } from "./protocol.js";

export interface Options {
  /** `wss://…`, the first output of the stack. */
  url: string;
  /** Returns a valid token. Called before every connection and before the session expires. */
  token: () => string | Promise<string>;
  /**
   * Where unsent messages are kept across page reloads. Without it they are lost on reload. In browsers, pass a
   * function, such as `() => localStorage`: mentioning the storage throws if it is forbidden.
   */
  outbox?: OutboxStorage | (() => OutboxStorage);
  /** Defaults to the global `WebSocket` of browsers and Node 22. On older versions of Node, pass that of `ws`. */
  WebSocket?: new (
    url: string,
    protocols: string[],
  ) => WebSocketLike;
  /** For tests: overrides delays and timeouts. */
  timing?: Partial<Timing>;
  /** For tests: a random number in [0, 1). */
  random?: () => number;
}

/** The part of the `WebSocket` interface that the client uses. */
export interface WebSocketLike {
  readonly protocol: string;
  send(data: string): void;
  close(code?: number): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason?: string }) => void) | null;
  onerror: ((event: unknown) => void) | null;
}

/** The part of the `Storage` interface (`localStorage`, `sessionStorage`) that the client uses. */
export interface OutboxStorage {
  /**
   * With `length` and `key`, several tabs can share the storage without overwriting each other's messages. A storage
   * without them must belong to a single tab.
   */
  readonly length?: number;
  key?(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** Delays and timeouts, in milliseconds. */
export interface Timing {
  /** The first delay before reconnecting. Doubles up to `maxRetryDelayMs`, each with full jitter. */
  initialRetryDelayMs: number;
  maxRetryDelayMs: number;
  /** After this long without a reply, a request is repeated if it is idempotent and given up otherwise. */
  replyTimeoutMs: number;
  /** How old a gap must be before the missing entries are requested. Up to the same again is added at random. */
  gapRepairDelayMs: number;
  /** The range of intervals between heartbeats (`sync`). API Gateway closes idle connections after 10 minutes. */
  minHeartbeatIntervalMs: number;
  maxHeartbeatIntervalMs: number;
  /**
   * While the page is visible: how long the server may be silent before the client probes whether the connection is
   * alive, give or take a fifth at random.
   */
  probeIntervalMs: number;
  /** While the page is visible: the same, after a request without a reply. */
  probeAfterRequestMs: number;
  /** A connection on which nothing arrives for this long after a probe or a heartbeat is replaced. */
  probeTimeoutMs: number;
  /** The range of ages at which a connection is replaced, make before break. API Gateway closes it after 2 hours. */
  minConnectionAgeMs: number;
  maxConnectionAgeMs: number;
  /** How long before it expires the session is refreshed. */
  refreshBeforeExpiryMs: number;
}

export type ConnectionState =
  /** `connect` has not been called. */
  | "idle"
  | "connecting"
  | "online"
  /** Waiting to reconnect. */
  | "offline"
  /** The server ended the session (signed out, or the token was revoked). The user has to sign in again. */
  | "signed_out"
  /** The user has opened more connections than allowed, and this was the oldest. It stays closed until `connect`. */
  | "evicted";

/** A message that the server has not acknowledged yet. */
export interface OutgoingMessage {
  readonly messageId: string;
  readonly roomId: string;
  readonly text: string;
  readonly language?: string;
  readonly replyTo?: number;
  /** In milliseconds since the epoch. */
  readonly createdAt: number;
  /**
   * A `failed` message was refused, or the server failed on it several times. It stays until it is retried or
   * discarded, and those behind it are sent.
   */
  readonly state: "queued" | "sending" | "failed";
  /** Why a `failed` message was refused. Absent if there was no reply at all. */
  readonly refusal?: Refusal;
}

export interface ClientEvents {
  state: (state: ConnectionState) => void;
  /** The room list, or a room in it, changed. */
  rooms: () => void;
  /** A room changed: new entries, translations, outgoing messages, read markers, or a filled gap. */
  room: (roomId: string) => void;
  /** A new entry in the log of an open room. Each is reported once and in order, even on a bad network. */
  message: (message: Message) => void;
}

export interface Client {
  readonly state: ConnectionState;
  /** When the next attempt to connect starts, in milliseconds since the epoch. Set while `offline`. */
  readonly nextRetryAt: number | null;
  /** The caller as the server names them. Null until one of the caller's own messages has been seen. */
  readonly me: Sender | null;
  /** The language that was chosen with `setLanguage`. Null if none was; messages then come in that of the token. */
  readonly language: string | null;
  /** Unacknowledged messages in all rooms. They are lost if the outbox storage is cleared. */
  readonly outgoing: readonly OutgoingMessage[];
  readonly rooms: RoomList;
  connect(): void;
  close(): void;
  /** Returns a function that removes the listener. */
  on<E extends keyof ClientEvents>(event: E, listener: ClientEvents[E]): () => void;
  /**
   * Sends any action. Rejects with a `DamsoError` if it is refused, or with a `ConnectionLost` if there was no reply
   * and the action is not idempotent.
   */
  request<A extends Action>(action: A, fields: Requests[A]): Promise<Replies[A]>;
  /**
   * Puts a message into the outbox, which repeats it with the same `message_id` until it is acknowledged. `sent`
   * resolves with the acknowledgement. It rejects with a `DamsoError` if the message is refused, a `ConnectionLost` if
   * the server keeps failing to reply, or a `MessageDiscarded`. Ignoring it is safe: it never causes an unhandled
   * rejection.
   */
  send(
    roomId: string,
    text: string,
    options?: { language?: string; replyTo?: number },
  ): { outgoing: OutgoingMessage; sent: Promise<Replies["sendMessage"]> };
  /** The log of a room. Returns the same object for the same id. */
  room(roomId: string): RoomLog;
  /** Reconnects without waiting, for example when the browser reports that it is online again. */
  connectNow(): void;
  /**
   * Sets the language in which the user reads messages from now on, on every connection of this client, and reads the
   * open rooms again.
   */
  setLanguage(language: string): Promise<void>;
  /**
   * Whether somebody is looking, so that a dead connection has to be noticed soon. Browsers report it automatically;
   * elsewhere nobody is, unless the program says so.
   */
  setVisible(visible: boolean): void;
}

export interface RoomList {
  /** The loaded rooms, most recent first. */
  readonly rooms: readonly Room[];
  readonly hasMore: boolean;
  readonly loading: boolean;
  /** Loads the first page of one status, or of all. Drops the rooms that were loaded for another status. */
  load(status?: RoomStatus): Promise<void>;
  loadMore(): Promise<void>;
}

export interface RoomLog {
  readonly roomId: string;
  /** The room as last seen. Null until the room list or an event has delivered it. */
  readonly room: Room | null;
  /** In order and without gaps, starting at the oldest loaded entry. */
  readonly messages: readonly Message[];
  /** Unacknowledged messages, in the order in which they were written. */
  readonly outgoing: readonly OutgoingMessage[];
  /** Whether there are entries before the oldest loaded one. */
  readonly hasOlder: boolean;
  /** The `seq` up to which each participant has read. */
  readonly readMarkers: Readonly<Record<string, number>>;
  /** Loads the newest page and subscribes to the room until `leave`, across reconnects. */
  open(): Promise<void>;
  leave(): void;
  loadOlder(limit?: number): Promise<void>;
  /** Marks the room as read up to an entry. Never moves back; frequent calls are coalesced. */
  markRead(seq: number): void;
  translate(seq: number, language: string): Promise<Translation>;
  /** Rejects with the code `conflict` and the current translation if it was corrected by somebody else first. */
  correct(seq: number, language: string, text: string, version: number): Promise<Translation>;
  search(query: string): AsyncGenerator<readonly Message[]>;
  /** Sends a `failed` message again. */
  retry(messageId: string): void;
  /** Gives up any unacknowledged message. One that is being sent may arrive all the same. */
  discard(messageId: string): void;
}
