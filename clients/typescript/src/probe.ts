import type { Timing } from "./api.js";
import { randomBetween } from "./backoff.js";
import type { Socket } from "./socket.js";
import type { Timers } from "./timers.js";

/** The interval between probes varies by this much, so that clients do not probe in step. */
const JITTER = 0.2;
/** Anything received within this time shows that the connection is alive. */
const FRESH_MS = 5_000;

/**
 * Decides when to probe whether the connection is alive while somebody is looking: when the server has been silent for
 * a while, when a request gets no reply, and when the user returns. A proxy that drops everything looks like silence.
 */
export class Probe {
  #visible = false;
  #socket: Socket | null = null;
  /** When the first request was sent since the last frame was received. */
  #unansweredSince: { framesReceived: number; at: number } | null = null;
  #probing = false;
  #cancel = () => {};

  constructor(
    /** Asks the server for anything, and replaces the socket if nothing arrives. */
    private readonly ask: (socket: Socket) => Promise<void>,
    private readonly timing: Timing,
    private readonly random: () => number,
    private readonly timers: Timers,
  ) {}

  /** Watches this socket from now on. */
  watch(socket: Socket): void {
    this.#socket = socket;
    this.#unansweredSince = null;
    this.#schedule();
  }

  stop(): void {
    this.#cancel();
    this.#socket = null;
  }

  setVisible(visible: boolean): void {
    this.#visible = visible;
    this.#schedule();
  }

  /** A request was sent. */
  sent(socket: Socket): void {
    if (socket !== this.#socket || this.#unansweredSince?.framesReceived === socket.framesReceived) return;
    this.#unansweredSince = { framesReceived: socket.framesReceived, at: Date.now() };
    this.#schedule();
  }

  /** The user is back. Probes unless something has just been received. */
  check(): void {
    const socket = this.#socket;
    if (socket !== null && Date.now() - socket.lastActiveAt >= FRESH_MS) void this.#probe(socket);
  }

  #schedule(): void {
    this.#cancel();
    const socket = this.#socket;
    if (!this.#visible || socket === null || this.#probing) return;
    const { framesReceived, lastActiveAt } = socket;
    const { probeIntervalMs, probeAfterRequestMs } = this.timing;
    const jitter = randomBetween(1 - JITTER, 1 + JITTER, this.random);
    const unanswered = this.#unansweredSince;
    const at =
      unanswered?.framesReceived === framesReceived
        ? unanswered.at + probeAfterRequestMs
        : lastActiveAt + probeIntervalMs * jitter;
    this.#cancel = this.timers.after(at - Date.now(), () => {
      if (socket.framesReceived === framesReceived) void this.#probe(socket);
      else this.#schedule();
    });
  }

  async #probe(socket: Socket): Promise<void> {
    if (this.#probing || !socket.isOpen) return;
    this.#probing = true;
    try {
      await this.ask(socket);
    } catch {
      // The socket has been replaced, or the server has refused, which shows that the connection is alive.
    }
    this.#probing = false;
    this.#unansweredSince = null;
    this.#schedule();
  }
}
