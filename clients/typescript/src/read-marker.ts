import { ConnectionLost, DamsoError, retryAfterMs } from "./errors.js";
import type { RoomContext } from "./room-context.js";

/** Movements of the marker within this time are sent as one request. */
const COALESCE_MS = 300;

/** How far the caller has read in one room. It only moves forward, and only its latest position is sent. */
export class ReadMarker {
  #wanted = 0;
  #sent = 0;
  #busy = false;

  constructor(
    private readonly roomId: string,
    private readonly context: RoomContext,
  ) {}

  moveTo(seq: number): void {
    const current = Math.max(this.#sent, this.context.knownRoom(this.roomId)?.last_read_seq ?? 0);
    if (seq <= this.#wanted || seq <= current) return;
    this.#wanted = seq;
    if (!this.#busy) this.#scheduleSend(COALESCE_MS);
  }

  #scheduleSend(delayMs: number): void {
    this.#busy = true;
    this.context.timers.after(
      delayMs,
      () => void this.#send(),
      () => this.#giveUp(),
    );
  }

  async #send(): Promise<void> {
    const seq = this.#wanted;
    try {
      const reply = await this.context.requests.call("markRead", { room_id: this.roomId, seq });
      this.#sent = Math.max(this.#sent, seq);
      this.context.readUpTo(this.roomId, reply.last_read_seq, reply.unread_count);
    } catch (error) {
      if (isTransient(error)) this.#scheduleSend(retryAfterMs(error) ?? this.context.timing.maxRetryDelayMs);
      else this.#giveUp();
      return;
    }
    this.#busy = false;
    if (this.#wanted > seq) this.#scheduleSend(COALESCE_MS);
  }

  /** The next movement covers this one too. */
  #giveUp(): void {
    this.#busy = false;
    this.#wanted = this.#sent;
  }
}

function isTransient(error: unknown): boolean {
  if (error instanceof ConnectionLost) return true;
  return error instanceof DamsoError && ["rate_limited", "internal"].includes(error.refusal.code);
}
