import type { OutboxStorage, OutgoingMessage, Timing } from "./api.js";
import { Backoff } from "./backoff.js";
import { DamsoError, MessageDiscarded } from "./errors.js";
import { StoredMessages } from "./outbox-storage.js";
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

/** Unacknowledged messages. Each room's are sent in order, one at a time, and each is repeated until it is answered. */
export class Outbox {
  readonly #items = new Map<string, Item>();
  /** Rooms with a message being sent or waiting to be repeated. */
  readonly #busyRooms = new Set<string>();
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
    this.#busyRooms.clear();
    for (const item of this.#items.values()) {
      if (item.message.state === "sending") this.#update(item, { state: "queued" });
    }
  }

  /** Stores this user's messages from now on, and adopts those that an earlier page or another tab left. */
  persistTo(storage: OutboxStorage, url: string, subject: string): void {
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
      const state = message.state === "refused" ? "refused" : "queued";
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
    if (item?.message.state !== "refused") return;
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
  }

  #itemsInRoom(roomId: string): Item[] {
    const items = [...this.#items.values()].filter((item) => item.message.roomId === roomId);
    return items.sort((a, b) => a.message.createdAt - b.message.createdAt);
  }

  #sendNext(roomId: string): void {
    if (this.#closed || this.#busyRooms.has(roomId)) return;
    const item = this.#itemsInRoom(roomId).find(({ message }) => message.state !== "refused");
    if (item === undefined) return;
    if (item.adopted && this.#stored?.has(item.message.messageId) === false) {
      // Its own tab got the acknowledgement or discarded it.
      this.#remove(item);
      this.#sendNext(roomId);
      return;
    }
    this.#busyRooms.add(roomId);
    void this.#send(item);
  }

  async #send(item: Item): Promise<void> {
    const { roomId, messageId } = item.message;
    const { initialRetryDelayMs, maxRetryDelayMs } = this.timing;
    const backoff = new Backoff(initialRetryDelayMs, maxRetryDelayMs, this.random);
    const generation = this.#generation;
    this.#update(item, { state: "sending" });
    while (this.#items.get(messageId) === item && generation === this.#generation) {
      try {
        const acknowledgement = await this.listener.send(requestFields(item.message), item.abort.signal);
        this.#acknowledge(item, acknowledgement);
        break;
      } catch (error) {
        const delayMs = retryDelayMs(error, backoff, this.random);
        if (generation !== this.#generation) return;
        if (item.abort.signal.aborted) break;
        if (delayMs === null) {
          this.#refuse(item, error as DamsoError);
          break;
        }
        await new Promise<void>((resolve) => {
          this.timers.after(delayMs, resolve);
        });
      }
    }
    if (generation !== this.#generation) return;
    this.#busyRooms.delete(roomId);
    this.#sendNext(roomId);
  }

  #acknowledge(item: Item, acknowledgement: Acknowledgement): void {
    const { roomId, messageId } = item.message;
    if (this.#items.get(messageId) !== item) return;
    this.#items.delete(messageId);
    this.#stored?.remove(messageId);
    this.listener.acknowledged(item.message, acknowledgement);
    this.listener.changed(roomId);
    item.resolve(acknowledgement);
  }

  #refuse(item: Item, error: DamsoError): void {
    if (this.#items.get(item.message.messageId) !== item) return;
    this.#update(item, { state: "refused", refusal: error.refusal });
    item.reject(error);
  }

  #update(item: Item, change: Partial<OutgoingMessage>): void {
    const before = item.message;
    item.message = { ...before, ...change };
    // A message being sent counts as queued after a reload, so only a change to or from `refused` is stored. A storage
    // that was cleared at sign-out therefore stays empty when the client is closed.
    const storedStateChanged = (before.state === "refused") !== (item.message.state === "refused");
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

/** Null if the same message would be refused again. */
function retryDelayMs(error: unknown, backoff: Backoff, random: () => number): number | null {
  if (!(error instanceof DamsoError)) return backoff.nextMs();
  const { code, retry_after_ms: retryAfter = 1_000 } = error.refusal;
  if (code === "rate_limited") return retryAfter * (1 + random() / 4);
  return code === "internal" || code === "session_expired" ? backoff.nextMs() : null;
}
