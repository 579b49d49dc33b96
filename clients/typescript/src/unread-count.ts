import type { Room } from "./protocol.js";

/**
 * Counts the unread messages of one room: those that the server's latest view of it counts, and those pushed since, in
 * any order and any number of times. The user's own messages are never unread.
 */
export class UnreadCount {
  #readUpTo = 0;
  /** The latest view: the end of the log, and how many messages are unread after which entry. */
  #viewSeq = -1;
  #viewReadUpTo = 0;
  #viewCount = 0;
  /** Messages of others after the latest view. */
  readonly #unread = new Set<number>();
  /** Entries that never count. */
  readonly #uncounted = new Set<number>();

  get value(): number {
    const inView = this.#readUpTo <= this.#viewReadUpTo ? this.#viewCount : this.#atMost(this.#viewCount);
    return inView + this.#unread.size;
  }

  /** Views of one room may arrive in any order. */
  addView({ last_seq: seq, last_read_seq: readUpTo, unread_count: count }: Room): void {
    const isNewer = seq > this.#viewSeq || (seq === this.#viewSeq && readUpTo >= this.#viewReadUpTo);
    if (isNewer) {
      this.#viewSeq = seq;
      this.#viewReadUpTo = readUpTo;
      this.#viewCount = count;
    }
    this.#moveTo(readUpTo);
  }

  addEntry(seq: number, isUnread: boolean): void {
    if (seq <= this.#readUpTo) return;
    if (!isUnread) this.#uncounted.add(seq);
    else if (seq > this.#viewSeq) this.#unread.add(seq);
  }

  /** `count`: what the server counts as unread after this entry, if it is known. */
  readTo(seq: number, count: number | null): void {
    this.#moveTo(seq);
    if (count === null || seq < this.#readUpTo) return;
    this.#viewCount = this.#atMost(count - this.#unread.size);
    this.#viewReadUpTo = this.#readUpTo;
  }

  #moveTo(readUpTo: number): void {
    this.#readUpTo = Math.max(this.#readUpTo, readUpTo);
    for (const seq of this.#unread) if (seq <= Math.max(this.#viewSeq, this.#readUpTo)) this.#unread.delete(seq);
    for (const seq of this.#uncounted) if (seq <= this.#readUpTo) this.#uncounted.delete(seq);
  }

  /** Of the entries in the latest view, no more can be unread than follow the one that was read last. */
  #atMost(count: number): number {
    const uncounted = [...this.#uncounted].filter((seq) => seq <= this.#viewSeq).length;
    return Math.max(0, Math.min(count, this.#viewSeq - this.#readUpTo - uncounted));
  }
}
