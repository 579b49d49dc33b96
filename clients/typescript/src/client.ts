import type {
  Client,
  ClientEvents,
  ConnectionState,
  Options,
  OutgoingMessage,
  RoomList,
  RoomLog,
  Timing,
} from "./api.js";
import { watchBrowser } from "./browser.js";
import { CatchUp } from "./catch-up.js";
import { Connection } from "./connection.js";
import { Listeners } from "./listeners.js";
import { complete } from "./log.js";
import { Outbox } from "./outbox.js";
import { Probe } from "./probe.js";
import type { Action, Requests as Fields, Message, PushedEvent, Replies, Sender, SessionEvent } from "./protocol.js";
import { Requests } from "./requests.js";
import type { RoomContext } from "./room-context.js";
import { LiveRoomList, type Reader } from "./room-list.js";
import { LiveRoomLog } from "./room-log.js";
import type { Frame, Socket } from "./socket.js";
import { Timers } from "./timers.js";
import { DEFAULT_TIMING } from "./timing.js";
import type { TokenClaims } from "./token-claims.js";
import { TokenRefresher } from "./token-refresher.js";

/** Creates a client and connects it. */
export function connect(options: Options): Client {
  const client = new DamsoClient(options);
  client.connect();
  return client;
}

export class DamsoClient implements Client {
  readonly #timers = new Timers();
  readonly #listeners = new Listeners<ClientEvents>();
  readonly #logs = new Map<string, LiveRoomLog>();
  readonly #connection: Connection;
  readonly #requests: Requests;
  readonly #outbox: Outbox;
  readonly #rooms: LiveRoomList;
  readonly #tokenRefresher: TokenRefresher;
  readonly #catchUp: CatchUp;
  readonly #probe: Probe;
  readonly #context: RoomContext;
  #self: { sender: Sender; language: string | null } | null = null;
  /** The caller's acknowledged messages, while it is unknown how the server names the caller. Their entries tell. */
  readonly #ownMessageIds = new Set<string>();
  #claims: TokenClaims | null = null;
  #unwatchBrowser = () => {};

  constructor(private readonly options: Options) {
    const timing: Timing = { ...DEFAULT_TIMING, ...options.timing };
    const random = options.random ?? Math.random;
    const timers = this.#timers;
    this.#connection = new Connection(options, timing, random, timers, {
      state: (state) => this.#listeners.emit("state", state),
      token: (claims) => this.#tokenObtained(claims),
      opened: (socket, claims, wasOffline) => this.#socketOpened(socket, claims, wasOffline),
      frame: (frame, socket) => this.#receive(frame, socket),
      lost: (socket) => this.#requests.lost(socket),
      drained: (socket) => this.#requests.drained(socket),
    });
    this.#requests = new Requests(this.#connection, timing, random, timers, (socket) => this.#probe.sent(socket));
    const outboxListener = {
      send: (fields: Fields["sendMessage"], signal: AbortSignal) =>
        this.#requests.call("sendMessage", fields, { signal, maxAttempts: 1 }),
      acknowledged: (message: OutgoingMessage, reply: Replies["sendMessage"]) => {
        if (this.#self === null) this.#ownMessageIds.add(message.messageId);
        this.#logs.get(message.roomId)?.acknowledged(message, reply);
        this.#rooms.addSent(message, reply, this.me ?? this.#probableSender);
      },
      changed: (roomId: string) => this.#log(roomId).changed(),
    };
    this.#outbox = new Outbox(outboxListener, timing, random, timers);
    this.#rooms = new LiveRoomList(this.#requests, timers, {
      listChanged: () => this.#listeners.emit("rooms"),
      roomChanged: (roomId) => this.#logs.get(roomId)?.changed(),
    });
    this.#tokenRefresher = new TokenRefresher(this.#connection, this.#requests, timing, random, timers);
    this.#catchUp = new CatchUp(
      this.#requests,
      () => [...this.#logs.values()].filter((log) => log.isOpen),
      timing,
      random,
      timers,
      () => this.#rooms.refresh(),
      () => this.#connection.renew(),
    );
    this.#probe = new Probe((socket) => this.#catchUp.probe(socket), timing, random, timers);
    this.#context = {
      requests: this.#requests,
      outbox: this.#outbox,
      timing,
      timers,
      random,
      self: () => this.#self,
      knownRoom: (roomId) => this.#rooms.get(roomId),
      updateRoom: (room) => this.#rooms.update(room),
      readUpTo: (roomId, seq, unreadCount) => this.#rooms.readUpTo(roomId, seq, unreadCount),
      entrySeen: (message) => this.#entrySeen(message),
      roomChanged: (roomId) => this.#listeners.emit("room", roomId),
      entryAppended: (message) => this.#listeners.emit("message", message),
    };
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  get nextRetryAt(): number | null {
    return this.#connection.nextRetryAt;
  }

  get me(): Sender | null {
    return this.#self?.sender ?? null;
  }

  get language(): string | null {
    return this.#catchUp.language;
  }

  get outgoing(): readonly OutgoingMessage[] {
    return this.#outbox.all();
  }

  get rooms(): RoomList {
    return this.#rooms;
  }

  connect(): void {
    this.#timers.start();
    this.#requests.start();
    this.#connection.connect();
    this.#outbox.start();
    this.#unwatchBrowser();
    this.#unwatchBrowser = watchBrowser({
      visible: (visible) => this.setVisible(visible),
      wake: () => this.connectNow(),
      focus: () => {
        if (this.state === "online") this.#probe.check();
        else this.#connection.connectNow();
      },
    });
  }

  close(): void {
    this.#stop();
    this.#connection.close();
    this.#requests.close();
  }

  connectNow(): void {
    // A connection that looks alive may have died while the device slept. A heartbeat finds out.
    if (this.state === "online") void this.#catchUp.heartbeat();
    else this.#connection.connectNow();
  }

  setVisible(visible: boolean): void {
    this.#probe.setVisible(visible);
  }

  async setLanguage(language: string): Promise<void> {
    const reply = await this.#requests.call("setLanguage", { language });
    this.#catchUp.language = reply.language;
    this.#rooms.dropTranslations();
    for (const log of this.#logs.values()) if (log.isOpen) log.changed();
    await this.#catchUp.reread();
  }

  on<E extends keyof ClientEvents>(event: E, listener: ClientEvents[E]): () => void {
    return this.#listeners.add(event, listener);
  }

  async request<A extends Action>(action: A, fields: Fields[A]): Promise<Replies[A]> {
    const reply = await this.#requests.call(action, fields);
    if ("room" in reply) this.#rooms.update(reply.room);
    if (action === "markRead") {
      const { room_id: roomId, last_read_seq: seq, unread_count: unreadCount } = reply as Replies["markRead"];
      this.#rooms.readUpTo(roomId, seq, unreadCount);
    }
    return reply;
  }

  send(roomId: string, text: string, options: { language?: string; replyTo?: number } = {}) {
    return this.#outbox.add(roomId, text, options);
  }

  room(roomId: string): RoomLog {
    return this.#log(roomId);
  }

  #log(roomId: string): LiveRoomLog {
    let log = this.#logs.get(roomId);
    if (log === undefined) {
      log = new LiveRoomLog(roomId, this.#context);
      this.#logs.set(roomId, log);
    }
    return log;
  }

  async #socketOpened(socket: Socket, claims: TokenClaims, wasOffline: boolean): Promise<void> {
    this.#tokenRefresher.start(socket, claims);
    this.#requests.opened();
    this.#outbox.adoptStored();
    this.#probe.watch(socket);
    await this.#catchUp.resume(socket, wasOffline);
  }

  #tokenObtained(claims: TokenClaims): void {
    const previous = this.#claims;
    if (previous?.identity === claims.identity) return;
    if (previous !== null && previous.subject !== claims.subject) {
      throw new Error("the token belongs to another user; create a new client for them");
    }
    this.#claims = claims;
    this.#self = null;
    if (previous === null && this.options.outbox !== undefined && claims.subject !== null) {
      this.#outbox.persistTo(this.options.outbox, this.options.url, claims.subject);
    }
  }

  #receive(frame: Frame, socket: Socket): void {
    switch (frame.type) {
      case "message":
      case "translation":
      case "room":
      case "read":
      case "session":
        this.#handleEvent(frame as unknown as PushedEvent, socket);
        break;
      case "reply":
        this.#connection.resetBackoff();
        this.#requests.receive(frame, socket);
        break;
      default:
        this.#requests.receive(frame, socket);
        if (frame.type === "error" && frame.code === "session_expired") this.#connection.drop(socket);
    }
  }

  #handleEvent(event: PushedEvent, socket: Socket): void {
    switch (event.type) {
      case "message": {
        const { type: _, ...entry } = event;
        const message = complete(entry);
        this.#rooms.addMessage(message, this.#reader);
        const log = this.#logs.get(message.room_id);
        if (log === undefined) this.#entrySeen(message);
        else log.add([message]);
        break;
      }
      case "translation":
        this.#rooms.addTranslation(event.room_id, event.seq, event.translation, this.#reader);
        this.#logs.get(event.room_id)?.addTranslation(event.seq, event.translation);
        break;
      case "room":
        this.#rooms.update(event.room);
        this.#logs.get(event.room.room_id)?.updateRoom(event.room);
        break;
      case "read":
        if (event.participant === this.#reader.participant) {
          this.#rooms.readUpTo(event.room_id, event.last_read_seq, null);
        }
        this.#logs.get(event.room_id)?.moveReadMarker(event.participant, event.last_read_seq);
        break;
      case "session":
        this.#sessionEnded(event.event, socket);
        break;
    }
  }

  #sessionEnded(event: SessionEvent, socket: Socket): void {
    if (event === "signed_out") {
      this.#requests.signedOut();
      this.#stop();
      this.#connection.signedOut();
    } else if (event === "evicted" && this.#connection.isReplaced(socket)) {
      // It made way for its own successor.
      this.#connection.drop(socket);
    } else if (event === "evicted") {
      this.#stop();
      this.#requests.close();
      this.#connection.evicted();
    }
  }

  /** The user as the server will probably name them. */
  get #probableSender(): Sender | null {
    const { participant = null, subject = null } = this.#claims ?? {};
    return participant === null || subject === null ? null : { participant, user_id: subject };
  }

  /** The user, and the language in which messages come. Both are null while they are unknown. */
  get #reader(): Reader {
    return {
      participant: this.me?.participant ?? this.#claims?.participant ?? null,
      language: this.language ?? this.#claims?.language ?? this.#self?.language ?? null,
    };
  }

  /** An entry of the caller's own tells how the server names them and which language it assumes. */
  #entrySeen(message: Message): void {
    if (this.#self !== null) return;
    const { message_id: messageId } = message;
    if (!this.#ownMessageIds.has(messageId) && !this.#outbox.has(messageId)) return;
    this.#self = { sender: message.sender, language: message.language };
    this.#ownMessageIds.clear();
  }

  #stop(): void {
    this.#unwatchBrowser();
    this.#unwatchBrowser = () => {};
    this.#timers.stop();
    this.#outbox.close();
    this.#tokenRefresher.stop();
    this.#catchUp.stop();
    this.#probe.stop();
  }
}
