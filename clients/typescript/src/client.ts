import { Alarms } from "./alarms.js";
import type { Client, ClientEvents, ConnectionState, Options, Outgoing, RoomList, RoomLog, Timing } from "./api.js";
import { CatchUp } from "./catch-up.js";
import { Connection } from "./connection.js";
import type { Frame, Link } from "./link.js";
import { Listeners } from "./listeners.js";
import { Outbox } from "./outbox.js";
import type { Action, Message, PushedEvent, Replies, Requests as Fields, Sender } from "./protocol.js";
import { Requests } from "./requests.js";
import { OpenableLog, type LogContext } from "./room-log.js";
import { Rooms } from "./rooms.js";
import { Session } from "./session.js";
import { DEFAULT_TIMING } from "./timing.js";
import type { TokenClaims } from "./token.js";
import { watchBrowser } from "./browser.js";

/** A client that connects at once. */
export function connect(options: Options): Client {
  const client = new DamsoClient(options);
  client.connect();
  return client;
}

export class DamsoClient implements Client {
  readonly #alarms = new Alarms();
  readonly #listeners = new Listeners<ClientEvents>();
  readonly #logs = new Map<string, OpenableLog>();
  readonly #connection: Connection;
  readonly #requests: Requests;
  readonly #outbox: Outbox;
  readonly #rooms: Rooms;
  readonly #session: Session;
  readonly #catchUp: CatchUp;
  readonly #context: LogContext;
  #self: { sender: Sender; language: string | null } | null = null;
  /** Messages of one's own whose entries say who one is. */
  readonly #own = new Set<string>();
  #person: TokenClaims | null = null;
  #unwatch = () => {};

  constructor(private readonly options: Options) {
    const timing: Timing = { ...DEFAULT_TIMING, ...options.timing };
    const random = options.random ?? Math.random;
    const alarms = this.#alarms;
    this.#connection = new Connection(options, timing, random, alarms, {
      state: (state) => this.#listeners.tell("state", state),
      token: (claims) => this.#tokenGiven(claims),
      opened: (link, claims, away) => this.#opened(link, claims, away),
      frame: (frame, link) => this.#receive(frame, link),
      lost: (link) => this.#requests.lost(link),
      drained: (link) => this.#requests.drained(link),
    });
    this.#requests = new Requests(this.#connection, timing, random, alarms);
    this.#outbox = new Outbox(
      {
        send: (fields, unwanted) => this.#requests.call("sendMessage", fields, null, unwanted),
        acknowledged: (message, reply) => {
          if (this.#self === null) this.#own.add(message.messageId);
          this.#logs.get(message.roomId)?.acknowledged(message, reply);
          this.#rooms.sent(message, reply, this.me);
        },
        changed: (roomId) => this.#log(roomId).changed(),
      },
      timing, random, alarms,
    );
    this.#rooms = new Rooms(this.#requests, alarms, {
      listChanged: () => this.#listeners.tell("rooms"),
      roomChanged: (roomId) => this.#logs.get(roomId)?.changed(),
    });
    this.#session = new Session(this.#connection, this.#requests, timing, random, alarms);
    const open = () => [...this.#logs.values()].filter((log) => log.isOpen);
    this.#catchUp = new CatchUp(this.#requests, open, timing, random, alarms, () => this.#rooms.refresh(), () => this.#connection.renew());
    this.#context = {
      requests: this.#requests, outbox: this.#outbox, timing, alarms, random,
      self: () => this.#self,
      roomOf: (roomId) => this.#rooms.get(roomId),
      takeRoom: (room) => this.#rooms.take(room),
      marked: (roomId, seq, unread) => this.#rooms.marked(roomId, seq, unread),
      seen: (message) => this.#seen(message),
      changed: (roomId) => this.#listeners.tell("room", roomId),
      appended: (message) => this.#listeners.tell("message", message),
    };
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  get nextTryAt(): number | null {
    return this.#connection.nextTryAt;
  }

  get me(): Sender | null {
    return this.#self?.sender ?? null;
  }

  get outgoing(): readonly Outgoing[] {
    return this.#outbox.all();
  }

  get rooms(): RoomList {
    return this.#rooms;
  }

  connect(): void {
    this.#alarms.start();
    this.#requests.start();
    this.#connection.connect();
    this.#outbox.start();
    this.#unwatch();
    this.#unwatch = watchBrowser(() => this.connectNow());
  }

  close(): void {
    this.#stop();
    this.#connection.close();
    this.#requests.giveUp();
  }

  connectNow(): void {
    // A connection that looks alive may have died in its sleep; the heartbeat finds out.
    if (this.state === "online") void this.#catchUp.beat();
    else this.#connection.connectNow();
  }

  on<E extends keyof ClientEvents>(event: E, listener: ClientEvents[E]): () => void {
    return this.#listeners.add(event, listener);
  }

  async request<A extends Action>(action: A, fields: Fields[A]): Promise<Replies[A]> {
    const reply = await this.#requests.call(action, fields);
    if ("room" in reply) this.#rooms.take(reply.room);
    if (action === "markRead") {
      const { room_id: roomId, last_read_seq: seq, unread_count: unread } = reply as Replies["markRead"];
      this.#rooms.marked(roomId, seq, unread);
    }
    return reply;
  }

  send(roomId: string, text: string, options: { language?: string; replyTo?: number } = {}) {
    return this.#outbox.add(roomId, text, options);
  }

  room(roomId: string): RoomLog {
    return this.#log(roomId);
  }

  #log(roomId: string): OpenableLog {
    let log = this.#logs.get(roomId);
    if (log === undefined) {
      log = new OpenableLog(roomId, this.#context);
      this.#logs.set(roomId, log);
    }
    return log;
  }

  async #opened(link: Link, claims: TokenClaims, away: boolean): Promise<void> {
    this.#session.begin(link, claims);
    this.#requests.opened();
    this.#outbox.adopt();
    await this.#catchUp.resume(link, away);
  }

  #tokenGiven(claims: TokenClaims): void {
    const { subject, person } = claims;
    if (this.#person?.person === person) return;
    if (this.#person !== null && this.#person.subject !== subject) {
      throw new Error("the token is another person's: who signs in as somebody else needs a client of their own");
    }
    const first = this.#person === null;
    this.#person = claims;
    this.#self = null;
    if (first && this.options.outbox !== undefined && subject !== null) {
      this.#outbox.keepIn(this.options.outbox, this.options.url, subject);
    }
  }

  #receive(frame: Frame, link: Link): void {
    switch (frame.type) {
      case "message":
      case "translation":
      case "room":
      case "read":
      case "session":
        return this.#event(frame as unknown as PushedEvent);
      case "reply":
        this.#connection.proved();
        return this.#requests.receive(frame, link);
      default:
        this.#requests.receive(frame, link);
        if (frame.type === "error" && frame.code === "session_expired") this.#connection.drop(link);
    }
  }

  #event(event: PushedEvent): void {
    switch (event.type) {
      case "message": {
        const { type: _, ...message } = event;
        this.#rooms.takeMessage(message, this.#participant);
        const log = this.#logs.get(message.room_id);
        if (log === undefined) this.#seen(message);
        else log.take([message]);
        return;
      }
      case "translation":
        return this.#logs.get(event.room_id)?.takeTranslation(event.seq, event.translation);
      case "room":
        this.#rooms.take(event.room);
        return this.#logs.get(event.room.room_id)?.takeRoom(event.room);
      case "read":
        if (event.participant === this.#participant) this.#rooms.marked(event.room_id, event.last_read_seq, null);
        return this.#logs.get(event.room_id)?.takeReadMark(event.participant, event.last_read_seq);
      case "session":
        if (event.event !== "signed_out") return;
        this.#requests.signedOut();
        this.#stop();
        return this.#connection.signedOut();
    }
  }

  get #participant(): string | null {
    return this.me?.participant ?? this.#person?.participant ?? null;
  }

  /** An entry of one's own tells how the server calls one, and which language it takes for granted. */
  #seen(message: Message): void {
    if (this.#self !== null || !(this.#own.has(message.message_id) || this.#outbox.has(message.message_id))) return;
    this.#self = { sender: message.sender, language: message.language };
    this.#own.clear();
  }

  #stop(): void {
    this.#unwatch();
    this.#unwatch = () => {};
    this.#alarms.stop();
    this.#outbox.close();
    this.#session.stop();
    this.#catchUp.stop();
  }
}
