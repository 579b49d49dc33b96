import type { OpenRoom, RoomContext } from "./room-context.js";

/** The most entries that one page can have. */
const PAGE_SIZE = 100;
/** A gap that persists is requested less and less often, up to this many times the first delay. */
const MAX_DELAY_FACTOR = 16;

/** Fetches what a room's log is known to lack: entries in a gap, and corrections whose push was missed. */
export class GapRepair {
  #cancel: (() => void) | null = null;
  /** Where the gap was when the timer was set. */
  #gapAfter = -1;
  #delayFactor = 1;
  #fetching = false;
  #correctionsCheckedUpTo = 0;

  constructor(
    private readonly room: OpenRoom,
    private readonly context: RoomContext,
  ) {}

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#gapAfter = -1;
    this.#delayFactor = 1;
  }

  /** Looks for a gap. A reply often overtakes somebody else's message, so a gap is first given time to close. */
  check(): void {
    const { log } = this.room;
    this.#checkCorrections();
    if (!log.isBehind) {
      this.stop();
      return;
    }
    if (this.#fetching) return;
    if (this.#cancel !== null && this.#gapAfter === log.lastSeq) return;
    this.#cancel?.();
    if (this.#gapAfter !== log.lastSeq) this.#delayFactor = 1;
    this.#gapAfter = log.lastSeq;
    let stopped = false;
    const cancel = this.context.timers.after(
      this.#delayMs(this.#delayFactor),
      () => {
        this.#cancel = null;
        void this.fetchNewer();
      },
      () => {
        stopped = true;
        this.#cancel = null;
      },
    );
    // If the timers are stopped there is nothing to cancel, and the next connection checks again.
    this.#cancel = stopped ? null : cancel;
  }

  /** Requests everything beyond the end of the log, page by page. */
  async fetchNewer(): Promise<void> {
    if (this.#fetching) return;
    this.#fetching = true;
    const { log, roomId } = this.room;
    const before = log.lastSeq;
    try {
      for (let more = true; more && this.room.isOpen && log.loaded; ) {
        const from = log.lastSeq;
        const fields = { room_id: roomId, after_seq: from, limit: PAGE_SIZE };
        const page = await this.context.requests.call("getChatHistory", fields);
        this.room.add(page.messages);
        // If the history itself has a gap, the page stops before it and says that there is more.
        more = page.has_more && log.lastSeq > from;
      }
    } catch {
      // The next check tries again.
    } finally {
      this.#fetching = false;
    }
    if (log.lastSeq === before) this.#delayFactor = Math.min(this.#delayFactor * 2, MAX_DELAY_FACTOR);
    if (this.room.isOpen) this.check();
  }

  /** Fetches the current version of one entry. */
  async refetch(seq: number): Promise<void> {
    try {
      const fields = { room_id: this.room.roomId, after_seq: seq - 1, limit: 1 };
      const page = await this.context.requests.call("getChatHistory", fields);
      this.room.add(page.messages);
    } catch {
      // A missing entry is found again by its gap, a missing translation after the next reconnect.
    }
  }

  /** The log records which translations were corrected; the push of the correction itself may have been missed. */
  #checkCorrections(): void {
    const { log } = this.room;
    const newEntries = log.entriesAfter(Math.max(this.#correctionsCheckedUpTo, log.firstSeq - 1));
    this.#correctionsCheckedUpTo = Math.max(this.#correctionsCheckedUpTo, log.lastSeq);
    for (const { event, sent_at: correctedAt } of newEntries) {
      if (event?.name !== "translation_corrected") continue;
      const { seq, language } = event;
      this.context.timers.after(this.#delayMs(1), () => {
        const entry = log.get(seq);
        if (entry === undefined || !this.room.isOpen) return;
        if ((entry.translations[language]?.at ?? 0) < correctedAt) void this.refetch(seq);
      });
    }
  }

  #delayMs(factor: number): number {
    return this.context.timing.gapRepairDelayMs * factor * (1 + this.context.random());
  }
}
