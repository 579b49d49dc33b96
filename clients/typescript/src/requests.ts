import type { Alarms } from "./alarms.js";
import type { Timing } from "./api.js";
import { Backoff } from "./backoff.js";
import { ConnectionLost, DamsoError } from "./errors.js";
import type { Frame, Link } from "./link.js";
import type { Action, Refusal, Replies, Requests as Fields } from "./protocol.js";

/** What requests need of the connection. */
export interface Carrier {
  readonly current: Link | null;
  /** Nothing came of it for too long. */
  drop(link: Link): void;
}

interface Pending {
  readonly action: Action;
  readonly text: string;
  readonly free: boolean;
  /** It makes sense on this link alone. */
  readonly bound: Link | null;
  readonly fields: Fields[Action];
  /** Says when nobody wants it any more. */
  readonly unwanted: AbortSignal | undefined;
  link: Link | null;
  tries: number;
  cancel: () => void;
  readonly backoff: Backoff;
  readonly resolve: (reply: never) => void;
  readonly reject: (error: Error) => void;
}

/** After so many tries without an answer it is given up: perhaps it is the request that nobody survives. */
const TRIES = 6;
/** API Gateway closes a connection at a larger frame, and would again at every repetition. */
const FRAME_LIMIT = 128 * 1024;

/** Which requests have the same effect once or often. */
function isFree(action: Action, fields: Record<string, unknown>): boolean {
  switch (action) {
    case "createRoom":
      return fields.kind !== "group" || fields.room_id !== undefined;
    case "sendMessage":
      return fields.message_id !== undefined;
    case "setTranslatedMessage":
      return fields.version !== undefined;
    case "changeRoomStatus":
    case "setRoomTranslation":
    case "signOutEverywhere":
      // Another person's change, or another sign-in, may lie between the first time and the second.
      return false;
    default:
      return true;
  }
}

/** Gives every request an answer: its reply, its refusal, or the news that there was none. */
export class Requests {
  readonly #pending = new Map<string, Pending>();
  readonly #drains = new Map<Link, (() => void)[]>();
  #next = 0;
  #over = false;

  constructor(
    private readonly carrier: Carrier,
    private readonly timing: Timing,
    private readonly random: () => number,
    private readonly alarms: Alarms,
  ) {}

  call<A extends Action>(action: A, fields: Fields[A], bound: Link | null = null, unwanted?: AbortSignal): Promise<Replies[A]> {
    return new Promise((resolve, reject) => {
      if (this.#over) return reject(new ConnectionLost(action, "not_sent"));
      this.#next += 1;
      const id = String(this.#next);
      const text = JSON.stringify({ ...fields, action, request_id: id });
      if (new TextEncoder().encode(text).length > FRAME_LIMIT) {
        const code = action === "sendMessage" ? "message_too_long" : "bad_request";
        return reject(new DamsoError(action, { code, message: "the request is larger than a frame may be" }));
      }
      const free = isFree(action, fields as Record<string, unknown>);
      const backoff = new Backoff(this.timing.firstBackoff, this.timing.longestBackoff, this.random);
      this.#pending.set(id, {
        action, text, free, bound, fields, unwanted, link: null, tries: 0, cancel: () => {}, backoff, resolve: resolve as (reply: never) => void, reject,
      });
      unwanted?.addEventListener("abort", () => this.#withdraw(id), { once: true });
      this.#transmit(id);
    });
  }

  /** Nobody wants it any more: what waits for a link is not sent, and what is on its way is not repeated. */
  #withdraw(id: string): void {
    const pending = this.#pending.get(id);
    if (pending === undefined || pending.link !== null) return;
    this.#settle(id, pending, () => pending.reject(new ConnectionLost(pending.action, pending.tries === 0 ? "not_sent" : "unknown")));
  }

  /** A link can carry what waits. */
  opened(): void {
    for (const [id, pending] of this.#pending) if (pending.link === null) this.#transmit(id);
  }

  lost(link: Link): void {
    for (const [id, pending] of this.#pending) {
      if (pending.link === link || pending.bound === link) this.#unanswered(id, pending, 0);
    }
    this.#drained(link);
  }

  drained(link: Link): Promise<void> {
    return new Promise((resolve) => {
      this.#drains.set(link, [...(this.#drains.get(link) ?? []), resolve]);
      this.#drained(link);
    });
  }

  /** Takes in what is no event. */
  receive(frame: Frame, link: Link): void {
    if (frame.type === undefined) return this.#gatewayFailed(link);
    const id = typeof frame.request_id === "string" ? frame.request_id : "";
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    if (frame.type === "reply") return this.#settle(id, pending, () => pending.resolve(frame as never));
    const refusal = frame as unknown as Refusal;
    // It was not done, and may be on a connection with a fresh token, which perhaps is there already.
    if (refusal.code === "session_expired" && pending.bound === null) {
      pending.tries -= 1;
      return this.carrier.current === link ? this.#wait(pending) : this.#again(id, pending, 0);
    }
    if (refusal.code === "internal" && pending.free && pending.tries < TRIES) {
      return this.#again(id, pending, pending.backoff.next());
    }
    const repeated = ownCorrection(pending, refusal);
    if (repeated !== null) return this.#settle(id, pending, () => pending.resolve(repeated as never));
    this.#settle(id, pending, () => pending.reject(new DamsoError(pending.action, bare(refusal))));
  }

  /** The server ended the session at this person's wish, which is the answer to that wish. */
  signedOut(): void {
    for (const [id, pending] of this.#pending) {
      if (pending.action === "signOutEverywhere") this.#settle(id, pending, () => pending.resolve({ closed: 1 } as never));
    }
    this.giveUp();
  }

  /** What comes from now on waits for a connection, where there is none yet. */
  start(): void {
    this.#over = false;
  }

  /** Nothing will carry them any more. */
  giveUp(): void {
    this.#over = true;
    for (const [id, pending] of this.#pending) {
      const outcome = pending.tries === 0 ? "not_sent" : "unknown";
      this.#settle(id, pending, () => pending.reject(new ConnectionLost(pending.action, outcome)));
    }
  }

  #transmit(id: string): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    if (pending.unwanted?.aborted) return this.#withdraw(id);
    const link = pending.bound ?? this.carrier.current;
    if (link === null || !link.send(pending.text)) {
      if (pending.bound !== null) this.#unanswered(id, pending, 0);
      else this.#wait(pending);
      return;
    }
    const sentAt = Date.now();
    pending.link = link;
    pending.tries += 1;
    pending.cancel();
    pending.cancel = this.alarms.after(this.timing.replyWithin, () => {
      // Where nothing at all came meanwhile the link is dead, whatever the socket believes.
      if (link.heardAt < sentAt) this.carrier.drop(link);
      if (this.#pending.get(id) === pending && pending.link === link) this.#unanswered(id, pending, 0);
    });
  }

  #unanswered(id: string, pending: Pending, wait: number): void {
    const sent = pending.tries > 0;
    if (pending.bound === null && (!sent || (pending.free && pending.tries < TRIES))) return this.#again(id, pending, wait);
    this.#settle(id, pending, () => pending.reject(new ConnectionLost(pending.action, sent ? "unknown" : "not_sent")));
  }

  /** A frame of API Gateway itself: some request was not answered, and nothing says which. */
  #gatewayFailed(link: Link): void {
    const concerned = [...this.#pending].filter(([, pending]) => pending.link === link);
    for (const [id, pending] of concerned) {
      if (concerned.length === 1 || pending.free) this.#unanswered(id, pending, pending.backoff.next());
    }
  }

  #again(id: string, pending: Pending, wait: number): void {
    this.#wait(pending);
    if (wait === 0) return this.#transmit(id);
    pending.cancel = this.alarms.after(wait, () => this.#transmit(id));
  }

  #wait(pending: Pending): void {
    const link = pending.link;
    pending.cancel();
    pending.cancel = () => {};
    pending.link = null;
    if (link !== null) this.#drained(link);
  }

  #settle(id: string, pending: Pending, answer: () => void): void {
    this.#pending.delete(id);
    this.#wait(pending);
    answer();
  }

  #drained(link: Link): void {
    const waiting = this.#drains.get(link);
    if (waiting === undefined || [...this.#pending.values()].some((pending) => pending.link === link)) return;
    this.#drains.delete(link);
    for (const resolve of waiting) resolve();
  }
}

function bare({ code, message, retry_after_ms, reason, translation }: Refusal): Refusal {
  const refusal: Refusal = { code, message };
  if (retry_after_ms !== undefined) refusal.retry_after_ms = retry_after_ms;
  if (reason !== undefined) refusal.reason = reason;
  if (translation !== undefined) refusal.translation = translation;
  return refusal;
}

/** A correction that is repeated, its reply having been lost, conflicts with itself: then it was done. */
function ownCorrection(pending: Pending, refusal: Refusal): Replies["setTranslatedMessage"] | null {
  if (pending.action !== "setTranslatedMessage" || pending.tries < 2 || refusal.code !== "conflict") return null;
  const { translation } = refusal;
  const { translated_message: text, version = 0 } = pending.fields as Fields["setTranslatedMessage"];
  const own = translation?.source === "person" && translation.text === text && translation.version === version + 1;
  return translation !== undefined && own ? { translation } : null;
}
