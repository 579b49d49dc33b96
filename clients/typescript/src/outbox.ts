import type { Alarms } from "./alarms.js";
import type { Outgoing, OutboxStorage, Timing } from "./api.js";
import { Backoff } from "./backoff.js";
import { ConnectionLost, DamsoError, Discarded } from "./errors.js";
import { StoredMessages } from "./outbox-storage.js";
import type { Replies, Requests as Fields } from "./protocol.js";
import { uuid } from "./uuid.js";

export type Acknowledgement = Replies["sendMessage"];

export interface OutboxListener {
  send(fields: Fields["sendMessage"], unwanted: AbortSignal): Promise<Acknowledgement>;
  acknowledged(message: Outgoing, acknowledgement: Acknowledgement): void;
  changed(roomId: string): void;
}

interface Item {
  message: Outgoing;
  /** Another tab's, or an earlier page's: it may be dealt with elsewhere. */
  readonly adopted: boolean;
  /** Its writer took it back. */
  readonly unwanted: AbortController;
  readonly resolve: (acknowledgement: Acknowledgement) => void;
  readonly reject: (error: Error) => void;
}

/** Messages on their way: per room in order, one at a time, repeated until each is answered. */
export class Outbox {
  readonly #items = new Map<string, Item>();
  /** Rooms with a message under way, or waiting to try again. */
  readonly #busy = new Set<string>();
  #stored: StoredMessages | null = null;
  #lastCreatedAt = 0;
  #closed = true;
  /** What was under way before a `close` has no say any more. */
  #era = 0;

  constructor(
    private readonly listener: OutboxListener,
    private readonly timing: Timing,
    private readonly random: () => number,
    private readonly alarms: Alarms,
  ) {}

  /** From now on messages are sent. */
  start(): void {
    if (!this.#closed) return;
    this.#closed = false;
    for (const roomId of this.#rooms()) this.#next(roomId);
  }

  /** Nothing is sent any more until `start`. */
  close(): void {
    this.#closed = true;
    this.#era += 1;
    this.#busy.clear();
    for (const item of this.#items.values()) if (item.message.state === "sending") this.#become(item, { state: "queued" });
  }

  /** Keeps the messages of this person from now on, and takes over what an earlier page or another tab left. */
  keepIn(storage: OutboxStorage, url: string, subject: string): void {
    this.#stored = new StoredMessages(storage, url, subject);
    for (const { message } of this.#items.values()) this.#stored.put(message);
    this.adopt();
  }

  /** Takes over what others have written since. Both send it then, under the same `message_id`, which is as good as once. */
  adopt(): void {
    const strange = this.#stored?.all().filter(({ messageId }) => !this.#items.has(messageId)) ?? [];
    for (const message of strange) {
      const state = message.state === "refused" ? "refused" : "queued";
      this.#items.set(message.messageId, { message: { ...message, state }, adopted: true, unwanted: new AbortController(), resolve: () => {}, reject: () => {} });
    }
    for (const roomId of new Set(strange.map((message) => message.roomId))) {
      this.listener.changed(roomId);
      this.#next(roomId);
    }
  }

  add(roomId: string, text: string, options: { language?: string; replyTo?: number } = {}) {
    // The order of writing survives a reload by these times alone, so no two are the same.
    this.#lastCreatedAt = Math.max(Date.now(), this.#lastCreatedAt + 1);
    const outgoing: Outgoing = { messageId: uuid(), roomId, text, ...options, createdAt: this.#lastCreatedAt, state: "queued" };
    const sent = new Promise<Acknowledgement>((resolve, reject) => {
      this.#items.set(outgoing.messageId, { message: outgoing, adopted: false, unwanted: new AbortController(), resolve, reject });
    });
    // Who does not look at it reads the outcome in the room's log.
    sent.catch(() => {});
    this.#stored?.put(outgoing);
    this.listener.changed(roomId);
    this.#next(roomId);
    return { outgoing, sent };
  }

  has(messageId: string): boolean {
    return this.#items.has(messageId);
  }

  /** What is on its way in all rooms. */
  all(): Outgoing[] {
    return [...this.#items.values()].map((item) => item.message);
  }

  /** What is on its way in a room, in the order in which it was written. */
  of(roomId: string): Outgoing[] {
    return this.#itemsOf(roomId).map((item) => item.message);
  }

  retry(messageId: string): void {
    const item = this.#items.get(messageId);
    if (item?.message.state !== "refused") return;
    const { refusal: _, ...message } = item.message;
    item.message = message;
    this.#become(item, { state: "queued" });
    this.#next(message.roomId);
  }

  discard(messageId: string): void {
    const item = this.#items.get(messageId);
    if (item === undefined) return;
    this.#forget(item);
    item.unwanted.abort();
    item.reject(new Discarded(messageId));
  }

  #rooms(): Set<string> {
    return new Set([...this.#items.values()].map((item) => item.message.roomId));
  }

  #itemsOf(roomId: string): Item[] {
    const items = [...this.#items.values()].filter((item) => item.message.roomId === roomId);
    return items.sort((a, b) => a.message.createdAt - b.message.createdAt);
  }

  #next(roomId: string): void {
    if (this.#closed || this.#busy.has(roomId)) return;
    const item = this.#itemsOf(roomId).find(({ message }) => message.state !== "refused");
    if (item === undefined) return;
    if (item.adopted && this.#stored?.has(item.message.messageId) === false) {
      // Its own tab got the answer, or its writer took it back there.
      this.#forget(item);
      return this.#next(roomId);
    }
    this.#busy.add(roomId);
    void this.#send(item);
  }

  async #send(item: Item): Promise<void> {
    const { roomId, messageId } = item.message;
    const backoff = new Backoff(this.timing.firstBackoff, this.timing.longestBackoff, this.random);
    const era = this.#era;
    this.#become(item, { state: "sending" });
    while (this.#items.get(messageId) === item && era === this.#era) {
      try {
        const acknowledgement = await this.listener.send(fields(item.message), item.unwanted.signal);
        if (this.#items.get(messageId) === item) {
          this.#items.delete(messageId);
          this.#stored?.remove(messageId);
          this.listener.acknowledged(item.message, acknowledgement);
          this.listener.changed(roomId);
          item.resolve(acknowledgement);
        }
        break;
      } catch (error) {
        const wait = waitBeforeRepeating(error, backoff, this.random);
        if (era !== this.#era) return;
        if (item.unwanted.signal.aborted) break;
        if (wait === null) {
          this.#refuse(item, error as DamsoError);
          break;
        }
        await new Promise<void>((resolve) => this.alarms.after(wait, resolve));
      }
    }
    if (era !== this.#era) return;
    this.#busy.delete(roomId);
    this.#next(roomId);
  }

  #refuse(item: Item, error: DamsoError): void {
    if (this.#items.get(item.message.messageId) !== item) return;
    this.#become(item, { state: "refused", refusal: error.refusal });
    item.reject(error);
  }

  #become(item: Item, change: Partial<Outgoing>): void {
    const before = item.message;
    item.message = { ...before, ...change };
    // What is under way counts as queued after a reload, so only what differs from that is written: a storage that was
    // emptied because somebody signs out stays empty when the client is closed.
    const differs = (before.state === "refused") !== (item.message.state === "refused");
    if (differs && (!item.adopted || this.#stored?.has(before.messageId))) this.#stored?.put(item.message);
    this.listener.changed(item.message.roomId);
  }

  #forget({ message }: Item): void {
    this.#items.delete(message.messageId);
    this.#stored?.remove(message.messageId);
    this.listener.changed(message.roomId);
  }
}

function fields({ roomId, messageId, text, language, replyTo }: Outgoing): Fields["sendMessage"] {
  const request: Fields["sendMessage"] = { room_id: roomId, message_id: messageId, message: text };
  if (language !== undefined) request.language = language;
  if (replyTo !== undefined) request.reply_to = replyTo;
  return request;
}

/** Null where the same message would be refused again. */
function waitBeforeRepeating(error: unknown, backoff: Backoff, random: () => number): number | null {
  if (error instanceof ConnectionLost) return backoff.next();
  if (!(error instanceof DamsoError)) return backoff.next();
  const { code, retry_after_ms: retryAfter = 1_000 } = error.refusal;
  if (code === "rate_limited") return retryAfter * (1 + random() / 4);
  return code === "internal" || code === "session_expired" ? backoff.next() : null;
}
