import type { Timing } from "./api.js";
import { Backoff } from "./backoff.js";
import { ConnectionLost, DamsoError, NoReply } from "./errors.js";
import type { Action, Requests as Fields, Refusal, Replies } from "./protocol.js";
import type { Frame, Socket } from "./socket.js";
import type { Timers } from "./timers.js";

/** The part of the connection that requests use. */
export interface Transport {
  readonly current: Socket | null;
  /** Gives up a socket that has been silent for too long. */
  drop(socket: Socket): void;
}

export interface RequestOptions {
  /** The only socket on which the request makes sense. Null if any will do. */
  readonly boundTo?: Socket | null;
  /** Aborted when the caller no longer wants the request to be sent. */
  readonly signal?: AbortSignal;
  /** A request is given up after this many attempts without a reply. It may be what breaks the server. */
  readonly maxAttempts?: number;
  readonly replyTimeoutMs?: number;
}

interface PendingRequest extends Required<Omit<RequestOptions, "signal">> {
  readonly action: Action;
  readonly text: string;
  readonly idempotent: boolean;
  readonly fields: Fields[Action];
  readonly signal: AbortSignal | undefined;
  /** The socket that it was sent on and that still owes a reply. */
  socket: Socket | null;
  attempts: number;
  cancelTimer: () => void;
  readonly onAbort: () => void;
  readonly backoff: Backoff;
  readonly resolve: (reply: never) => void;
  readonly reject: (error: Error) => void;
}

const MAX_ATTEMPTS = 6;
/** API Gateway closes the connection on a larger frame, and would do so at every repetition. */
const MAX_FRAME_BYTES = 32 * 1024;

/** Whether doing the request twice has the same effect as doing it once. */
function isIdempotent(action: Action, fields: Record<string, unknown>): boolean {
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
      // Somebody else's change, or a new sign-in, may happen between the two.
      return false;
    default:
      return true;
  }
}

/** Settles every request: with its reply, its refusal, or a `ConnectionLost`. Repeats idempotent requests. */
export class Requests {
  readonly #pending = new Map<string, PendingRequest>();
  readonly #drainWaiters = new Map<Socket, (() => void)[]>();
  #lastId = 0;
  #closed = false;

  constructor(
    private readonly transport: Transport,
    private readonly timing: Timing,
    private readonly random: () => number,
    private readonly timers: Timers,
    /** Called whenever a request was handed to a socket. */
    private readonly onSent: (socket: Socket) => void,
  ) {}

  call<A extends Action>(action: A, fields: Fields[A], options: RequestOptions = {}): Promise<Replies[A]> {
    const { signal, boundTo = null, maxAttempts = MAX_ATTEMPTS } = options;
    const { replyTimeoutMs = this.timing.replyTimeoutMs } = options;
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new ConnectionLost(action, "not_sent"));
        return;
      }
      this.#lastId += 1;
      const id = String(this.#lastId);
      const text = JSON.stringify({ ...fields, action, request_id: id }, wellFormedStrings);
      if (new TextEncoder().encode(text).length > MAX_FRAME_BYTES) {
        const code = action === "sendMessage" ? "message_too_long" : "bad_request";
        reject(new DamsoError(action, { code, message: "the request exceeds 32 KB; shorten it" }));
        return;
      }
      const onAbort = () => this.#abort(id);
      const { initialRetryDelayMs, maxRetryDelayMs } = this.timing;
      this.#pending.set(id, {
        action,
        text,
        idempotent: isIdempotent(action, fields as Record<string, unknown>),
        boundTo,
        fields,
        signal,
        maxAttempts,
        replyTimeoutMs,
        socket: null,
        attempts: 0,
        cancelTimer: () => {},
        onAbort,
        backoff: new Backoff(initialRetryDelayMs, maxRetryDelayMs, this.random),
        resolve: resolve as (reply: never) => void,
        reject,
      });
      signal?.addEventListener("abort", onAbort);
      this.#transmit(id);
    });
  }

  /** Sends everything that waits for a connection. */
  opened(): void {
    for (const [id, pending] of this.#pending) if (pending.socket === null) this.#transmit(id);
  }

  lost(socket: Socket): void {
    for (const [id, pending] of this.#pending) {
      if (pending.socket !== socket && pending.boundTo !== socket) continue;
      // One of the requests on it may be what the server closed it for.
      this.#noReply(id, pending, 0, socket.rejectedData ? NoReply : ConnectionLost);
    }
    this.#notifyIfDrained(socket);
  }

  /** Resolves once no request waits for a reply on this socket. */
  drained(socket: Socket): Promise<void> {
    return new Promise((resolve) => {
      this.#drainWaiters.set(socket, [...(this.#drainWaiters.get(socket) ?? []), resolve]);
      this.#notifyIfDrained(socket);
    });
  }

  /** Handles replies and errors. */
  receive(frame: Frame, socket: Socket): void {
    if (frame.type === undefined) {
      this.#apiGatewayError(socket);
      return;
    }
    const id = typeof frame.request_id === "string" ? frame.request_id : "";
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    if (frame.type === "reply") this.#settle(id, pending, () => pending.resolve(frame as never));
    else this.#refused(id, pending, frame as unknown as Refusal, socket);
  }

  /** Being signed out is the reply to `signOutEverywhere`, and the end of every other request. */
  signedOut(): void {
    for (const [id, pending] of this.#pending) {
      if (pending.action !== "signOutEverywhere") continue;
      this.#settle(id, pending, () => pending.resolve({ closed: 1 } as never));
    }
    this.close();
  }

  /** Accepts requests again. They wait for a connection if there is none yet. */
  start(): void {
    this.#closed = false;
  }

  /** Rejects all pending and all further requests. */
  close(): void {
    this.#closed = true;
    for (const [id, pending] of this.#pending) this.#rejectAsLost(id, pending);
  }

  /** An aborted request that waits for a connection is not sent; one that was sent is not repeated. */
  #abort(id: string): void {
    const pending = this.#pending.get(id);
    if (pending !== undefined && pending.socket === null) this.#rejectAsLost(id, pending);
  }

  #refused(id: string, pending: PendingRequest, refusal: Refusal, socket: Socket): void {
    if (refusal.code === "session_expired" && pending.boundTo === null) {
      // It had no effect, and may succeed on a connection with a new token. That connection may be open already.
      pending.attempts -= 1;
      if (this.transport.current === socket) this.#detach(pending);
      else this.#retry(id, pending, 0);
      return;
    }
    if (refusal.code === "internal" && pending.idempotent && pending.attempts < pending.maxAttempts) {
      this.#retry(id, pending, pending.backoff.nextMs());
      return;
    }
    const reply = ownEarlierCorrection(pending, refusal);
    this.#settle(id, pending, () => {
      if (reply !== null) pending.resolve(reply as never);
      else pending.reject(new DamsoError(pending.action, withoutFrameFields(refusal)));
    });
  }

  #transmit(id: string): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    if (pending.signal?.aborted) {
      this.#abort(id);
      return;
    }
    const socket = pending.boundTo ?? this.transport.current;
    if (socket === null || !socket.send(pending.text)) {
      if (pending.boundTo !== null) this.#noReply(id, pending, 0, ConnectionLost);
      else this.#detach(pending);
      return;
    }
    const receivedBefore = socket.framesReceived;
    pending.socket = socket;
    pending.attempts += 1;
    pending.cancelTimer();
    pending.cancelTimer = this.timers.after(pending.replyTimeoutMs, () => {
      this.#detach(pending);
      // If nothing at all arrived since, the connection is probably dead even if the socket does not know it.
      if (socket.framesReceived === receivedBefore) this.transport.drop(socket);
      if (this.#pending.get(id) === pending) this.#noReply(id, pending, 0, NoReply);
    });
    this.onSent(socket);
  }

  #noReply(id: string, pending: PendingRequest, delayMs: number, Failure: typeof ConnectionLost): void {
    const mayRepeat = pending.attempts === 0 || (pending.idempotent && pending.attempts < pending.maxAttempts);
    if (pending.boundTo === null && mayRepeat) this.#retry(id, pending, delayMs);
    else this.#rejectAsLost(id, pending, Failure);
  }

  /** API Gateway itself sent an error frame: some request got no reply, and nothing says which. */
  #apiGatewayError(socket: Socket): void {
    const candidates = [...this.#pending].filter(([, pending]) => pending.socket === socket);
    for (const [id, pending] of candidates) {
      if (candidates.length === 1 || pending.idempotent) this.#noReply(id, pending, pending.backoff.nextMs(), NoReply);
    }
  }

  #retry(id: string, pending: PendingRequest, delayMs: number): void {
    this.#detach(pending);
    if (delayMs === 0) this.#transmit(id);
    else pending.cancelTimer = this.timers.after(delayMs, () => this.#transmit(id));
  }

  /** Stops waiting for a reply. The request stays pending. */
  #detach(pending: PendingRequest): void {
    const { socket } = pending;
    pending.cancelTimer();
    pending.cancelTimer = () => {};
    pending.socket = null;
    if (socket !== null) this.#notifyIfDrained(socket);
  }

  #rejectAsLost(id: string, pending: PendingRequest, Failure = ConnectionLost): void {
    const outcome = pending.attempts === 0 ? "not_sent" : "unknown";
    this.#settle(id, pending, () => pending.reject(new Failure(pending.action, outcome)));
  }

  #settle(id: string, pending: PendingRequest, settle: () => void): void {
    this.#pending.delete(id);
    pending.signal?.removeEventListener("abort", pending.onAbort);
    this.#detach(pending);
    settle();
  }

  #notifyIfDrained(socket: Socket): void {
    const waiters = this.#drainWaiters.get(socket);
    if (waiters === undefined || [...this.#pending.values()].some((pending) => pending.socket === socket)) return;
    this.#drainWaiters.delete(socket);
    for (const resolve of waiters) resolve();
  }
}

function withoutFrameFields({ code, message, retry_after_ms, reason, translation }: Refusal): Refusal {
  const refusal: Refusal = { code, message };
  if (retry_after_ms !== undefined) refusal.retry_after_ms = retry_after_ms;
  if (reason !== undefined) refusal.reason = reason;
  if (translation !== undefined) refusal.translation = translation;
  return refusal;
}

/** A correction whose reply was lost conflicts with itself when it is repeated. That means it succeeded. */
function ownEarlierCorrection(pending: PendingRequest, refusal: Refusal): Replies["setTranslatedMessage"] | null {
  if (pending.action !== "setTranslatedMessage" || pending.attempts < 2 || refusal.code !== "conflict") return null;
  const { translation } = refusal;
  if (translation === undefined) return null;
  const { translated_message: text, version = 0 } = pending.fields as Fields["setTranslatedMessage"];
  const isOwn =
    translation.source === "person" && translation.text === wellFormed(text) && translation.version === version + 1;
  return isOwn ? { translation } : null;
}

/** Replaces halves of surrogate pairs, such as an emoji cut in two, which are not valid in JSON. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

function wellFormedStrings(_: string, value: unknown): unknown {
  return typeof value === "string" ? wellFormed(value) : value;
}
