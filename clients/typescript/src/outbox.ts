import type { Options, OutgoingMessage, Timing } from "./api.js";
import { Backoff } from "./backoff.js";
import { ConnectionLost, DamsoError, MessageDiscarded, NoReply, retryAfterMs } from "./errors.js";
import { openStorage, StoredMessages } from "./outbox-storage.js";
import type { Requests as Fields, Replies } from "./protocol.js";
import type { Timers } from "./timers.js";
import { uuid } from "./uuid.js";

export type Acknowledgement = Replies["sendMessage"];

export interface OutboxListener {
  send(fields: Fields["sendMessage"], signal: AbortSignal): Promise<Acknowledgement>;
  acknowledged(message: OutgoingMessage, acknowledgement: Acknowledgement): void;
  changed(roomId: string): void;
}

interface Item {
  message: OutgoingMessage;
  /** Written by another tab or an earlier page, which may be sending it too. */
  readonly adopted: boolean;
  /** Aborted when the message is discarded. */
  readonly abort: AbortController;
  readonly resolve: (acknowledgement: Acknowledgement) => void;
  readonly reject: (error: Error) => void;
}

/**
 * How long a message that the server fails to answer holds up those behind it: for this many attempts, and at least for
 * this time since the first of them.
 */
const ATTEMPTS = 3;
const ATTEMPTS_FOR_MS = 10_000;

/**
 * Unacknowledged messages. Each room's are sent in order, one at a time. A message waits as long as there is no
 * connection or the rate limit says so; one that the server refuses or keeps failing on makes way for the next.
 */
export class Outbox {
  readonly #items = new Map<string, Item>();
  /** By room, the message that is being sent or waits to be repeated. */
  readonly #sending = new Map<string, Item>();
  #stored: StoredMessages | null = null;
  #lastCreatedAt = 0;
  #closed = true;
  /** Incremented by `close`. Sending that started in an earlier generation has no effect. */
  #generation = 0;

  constructor(
    private readonly listener: OutboxListener,
    private readonly timing: Timing,
    private readonly random: () => number,
    private readonly timers: Timers,
  ) {}

  start(): void {
    if (!this.#closed) return;
    this.#closed = false;
    const rooms = new Set(this.all().map((message) => message.roomId));
    for (const roomId of rooms) this.#sendNext(roomId);
  }

  /** Pauses sending until `start`. */
  close(): void {
    this.#closed = true;
    this.#generation += 1;
    this.#sending.clear();
    for (const item of this.#items.values()) {
      if (item.message.state === "sending") this.#update(item, { state: "queued" });
    }
  }

  /** Stores this user's messages from now on, and adopts those that an earlier page or another tab left. */
  persistTo(outbox: NonNullable<Options["outbox"]>, url: string, subject: string): void {
    const storage = openStorage(outbox);
    if (storage === null) return;
    this.#stored = new StoredMessages(storage, url, subject);
    for (const { message } of this.#items.values()) this.#stored.put(message);
    this.adoptStored();
  }

  /**
   * Adopts what other tabs have stored since. Two tabs may then send the same message, which is harmless because both
   * use the same `message_id`.
   */
  adoptStored(): void {
    const unknown = this.#stored?.all().filter(({ messageId }) => !this.#items.has(messageId)) ?? [];
    for (const message of unknown) {
      const state = message.state === "failed" ? "failed" : "queued";
      this.#items.set(message.messageId, {
        message: { ...message, state },
        adopted: true,
        abort: new AbortController(),
        resolve: () => {},
        reject: () => {},
      });
    }
    for (const roomId of new Set(unknown.map((message) => message.roomId))) {
      this.listener.changed(roomId);
      this.#sendNext(roomId);
    }
  }

  add(roomId: string, text: string, options: { language?: string; replyTo?: number } = {}) {
    // After a reload only these times tell the order of writing, so no two are equal.
    this.#lastCreatedAt = Math.max(Date.now(), this.#lastCreatedAt + 1);
    const outgoing: OutgoingMessage = {
      messageId: uuid(),
      roomId,
      text,
      ...options,
      createdAt: this.#lastCreatedAt,
      state: "queued",
    };
    const sent = new Promise<Acknowledgement>((resolve, reject) => {
      const abort = new AbortController();
      this.#items.set(outgoing.messageId, { message: outgoing, adopted: false, abort, resolve, reject });
    });
    // Callers may ignore the promise and read the outcome from the room instead.
    sent.catch(() => {});
    this.#stored?.put(outgoing);
    this.listener.changed(roomId);
    this.#sendNext(roomId);
    return { outgoing, sent };
  }

  has(messageId: string): boolean {
    return this.#items.has(messageId);
  }

  all(): OutgoingMessage[] {
    return [...this.#items.values()].map((item) => item.message);
  }

  /** A room's messages in the order in which they were written. */
  inRoom(roomId: string): OutgoingMessage[] {
    return this.#itemsInRoom(roomId).map((item) => item.message);
  }

  retry(messageId: string): void {
    const item = this.#items.get(messageId);
    if (item?.message.state !== "failed") return;
    const { refusal: _, ...message } = item.message;
    item.message = message;
    this.#update(item, { state: "queued" });
    this.#sendNext(message.roomId);
  }

  discard(messageId: string): void {
    const item = this.#items.get(messageId);
    if (item === undefined) return;
    this.#remove(item);
    item.abort.abort();
    item.reject(new MessageDiscarded(messageId));
    this.#finish(item);
  }

  #itemsInRoom(roomId: string): Item[] {
    const items = [...this.#items.values()].filter((item) => item.message.roomId === roomId);
    return items.sort((a, b) => a.message.createdAt - b.message.createdAt);
  }

  #sendNext(roomId: string): void {
    if (this.#closed || this.#sending.has(roomId)) return;
    const item = this.#itemsInRoom(roomId).find(({ message }) => message.state !== "failed");
    if (item === undefined) return;
    if (item.adopted && this.#stored?.has(item.message.messageId) === false) {
      // Its own tab got the acknowledgement or discarded it.
      this.#remove(item);
      this.#sendNext(roomId);
      return;
    }
    this.#sending.set(roomId, item);
    void this.#send(item);
  }

  /** The room's next message may be sent if this one was its turn. */
  #finish(item: Item): void {
    const { roomId } = item.message;
    if (this.#sending.get(roomId) !== item) return;
    this.#sending.delete(roomId);
    this.#sendNext(roomId);
  }

  async #send(item: Item): Promise<void> {
    const { initialRetryDelayMs, maxRetryDelayMs } = this.timing;
    const backoff = new Backoff(initialRetryDelayMs, maxRetryDelayMs, this.random);
    const generation = this.#generation;
    const isCurrent = () => generation === this.#generation && !item.abort.signal.aborted;
    let attempts = 0;
    let failingSince = 0;
    this.#update(item, { state: "sending" });
    while (isCurrent()) {
      const startedAt = Date.now();
      let reply: Acknowledgement | Error;
      try {
        reply = await this.listener.send(requestFields(item.message), item.abort.signal);
      } catch (error) {
        reply = error instanceof Error ? error : new Error(String(error));
      }
      if (!(reply instanceof Error)) {
        this.#acknowledge(item, reply);
        break;
      }
      if (!isCurrent()) return;
      const limitedForMs = retryAfterMs(reply);
      if (limitedForMs !== null) {
        await this.#wait(limitedForMs * (1 + this.random() / 4));
      } else if (isServerFailure(reply)) {
        attempts += 1;
        if (attempts === 1) failingSince = startedAt;
        if (attempts >= ATTEMPTS && Date.now() - failingSince >= ATTEMPTS_FOR_MS) {
          this.#fail(item, reply);
          break;
        }
        await this.#wait(backoff.nextMs());
      } else if (reply instanceof ConnectionLost) {
        // That is not the message's fault. The next attempt waits for another connection.
        attempts = 0;
      } else {
        this.#fail(item, reply);
        break;
      }
    }
    if (generation === this.#generation) this.#finish(item);
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.timers.after(delayMs, resolve);
    });
  }

  #acknowledge(item: Item, acknowledgement: Acknowledgement): void {
    const { roomId, messageId } = item.message;
    // A message that was discarded on its way has arrived all the same.
    if (this.#items.get(messageId) === item) this.#items.delete(messageId);
    this.#stored?.remove(messageId);
    this.listener.acknowledged(item.message, acknowledgement);
    this.listener.changed(roomId);
    item.resolve(acknowledgement);
  }

  #fail(item: Item, error: Error): void {
    this.#update(item, error instanceof DamsoError ? { state: "failed", refusal: error.refusal } : { state: "failed" });
    item.reject(error);
  }

  #update(item: Item, change: Partial<OutgoingMessage>): void {
    const before = item.message;
    item.message = { ...before, ...change };
    // A message being sent counts as queued after a reload, so only a change to or from `failed` is stored. A storage
    // that was cleared at sign-out therefore stays empty when the client is closed.
    const storedStateChanged = (before.state === "failed") !== (item.message.state === "failed");
    if (storedStateChanged && (!item.adopted || this.#stored?.has(before.messageId))) this.#stored?.put(item.message);
    this.listener.changed(item.message.roomId);
  }

  #remove({ message }: Item): void {
    this.#items.delete(message.messageId);
    this.#stored?.remove(message.messageId);
    this.listener.changed(message.roomId);
  }
}

function requestFields({ roomId, messageId, text, language, replyTo }: OutgoingMessage): Fields["sendMessage"] {
  const fields: Fields["sendMessage"] = { room_id: roomId, message_id: messageId, message: text };
  if (language !== undefined) fields.language = language;
  if (replyTo !== undefined) fields.reply_to = replyTo;
  return fields;
}

/** Whether the same message may be accepted a little later. */
function isServerFailure(error: Error): boolean {
  return error instanceof NoReply || (error instanceof DamsoError && error.refusal.code === "internal");
}
