import type { LogContext, OpenableLog } from "./room-log.js";

/** As many entries as a page may have. */
const PAGE = 100;
/** A gap that stays is asked for ever more seldom, up to this many times the first wait. */
const MOST_PATIENT = 16;

/** Fetches what a room's log says that there is: entries in a gap, and corrections that passed by. */
export class Repair {
  #cancel: (() => void) | null = null;
  /** Where the gap was when its alarm was set. */
  #gapAt = -1;
  #patience = 1;
  #chasing = false;
  #looked = 0;

  constructor(private readonly room: OpenableLog, private readonly context: LogContext) {}

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#gapAt = -1;
    this.#patience = 1;
  }

  /** Looks for a gap. A reply often outruns another's message, so one is given time to close by itself. */
  look(): void {
    const { log } = this.room;
    this.#lookForCorrections();
    if (!log.isBehind || this.#chasing) {
      if (!log.isBehind) this.stop();
      return;
    }
    if (this.#cancel !== null && this.#gapAt === log.upTo) return;
    this.#cancel?.();
    if (this.#gapAt !== log.upTo) this.#patience = 1;
    this.#gapAt = log.upTo;
    const wait = this.context.timing.gapAfter * this.#patience * (1 + this.context.random());
    let stopped = false;
    const ring = () => {
      this.#cancel = null;
      void this.chase();
    };
    const cancel = this.context.alarms.after(wait, ring, () => {
      stopped = true;
      this.#cancel = null;
    });
    // With all alarms stopped there is none to cancel; the next connection looks again.
    this.#cancel = stopped ? null : cancel;
  }

  /** Asks for everything beyond the log's end, page by page. */
  async chase(): Promise<void> {
    if (this.#chasing) return;
    this.#chasing = true;
    const { log, roomId } = this.room;
    const before = log.upTo;
    try {
      for (let more = true; more && this.room.isOpen && log.loaded; ) {
        const from = log.upTo;
        const page = await this.context.requests.call("getChatHistory", { room_id: roomId, after_seq: from, limit: PAGE });
        this.room.take(page.messages);
        // History stops before a hole and says that there is more.
        more = page.has_more && log.upTo > from;
      }
    } catch {
      // It is looked for again, later.
    } finally {
      this.#chasing = false;
    }
    if (log.upTo === before) this.#patience = Math.min(this.#patience * 2, MOST_PATIENT);
    if (this.room.isOpen) this.look();
  }

  /** Fetches one entry as it stands now. */
  async fetch(seq: number): Promise<void> {
    try {
      const page = await this.context.requests.call("getChatHistory", { room_id: this.room.roomId, after_seq: seq - 1, limit: 1 });
      this.room.take(page.messages);
    } catch {
      // An entry is looked for again by its gap, a translation after the next absence.
    }
  }

  /** The log says which translations were corrected; the correction itself may have passed by while the caller was away. */
  #lookForCorrections(): void {
    const { log } = this.room;
    const grownBy = log.after(Math.max(this.#looked, log.oldest - 1));
    this.#looked = Math.max(this.#looked, log.upTo);
    for (const { event, sent_at: at } of grownBy) {
      if (event?.name !== "translation_corrected") continue;
      const { seq, language } = event;
      const wait = this.context.timing.gapAfter * (1 + this.context.random());
      this.context.alarms.after(wait, () => {
        const known = log.at(seq);
        if (known === undefined || !this.room.isOpen) return;
        if ((known.translations[language]?.at ?? 0) < at) void this.fetch(seq);
      });
    }
  }
}
