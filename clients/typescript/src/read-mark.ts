import { ConnectionLost, DamsoError, retryAfter } from "./errors.js";
import type { LogContext } from "./room-log.js";

/** So many times a person reads on within this; one request is enough for them. */
const COALESCED_WITHIN = 300;

/** How far the caller has read in one room. It moves forwards only, and what is told is where it stands, not each step. */
export class ReadMark {
  #wanted = 0;
  #told = 0;
  #busy = false;

  constructor(private readonly roomId: string, private readonly context: LogContext) {}

  move(seq: number): void {
    const standing = Math.max(this.#told, this.context.roomOf(this.roomId)?.last_read_seq ?? 0);
    if (seq <= this.#wanted || seq <= standing) return;
    this.#wanted = seq;
    if (!this.#busy) this.#tellSoon();
  }

  #tellSoon(wait = COALESCED_WITHIN): void {
    this.#busy = true;
    this.context.alarms.after(wait, () => void this.#tell(), () => this.#forget());
  }

  async #tell(): Promise<void> {
    const seq = this.#wanted;
    try {
      const reply = await this.context.requests.call("markRead", { room_id: this.roomId, seq });
      this.#told = Math.max(this.#told, seq);
      this.context.marked(this.roomId, reply.last_read_seq, reply.unread_count);
    } catch (error) {
      return passes(error) ? this.#tellSoon(retryAfter(error) ?? this.context.timing.longestBackoff) : this.#forget();
    }
    this.#busy = false;
    if (this.#wanted > seq) this.#tellSoon();
  }

  /** The next step tells of this one too. */
  #forget(): void {
    this.#busy = false;
    this.#wanted = this.#told;
  }
}

/** Whether the same may be taken later. */
function passes(error: unknown): boolean {
  return error instanceof ConnectionLost || (error instanceof DamsoError && ["rate_limited", "internal"].includes(error.refusal.code));
}
