import type { LogContext, OpenableLog } from "./room-log.js";
import type { Message } from "./protocol.js";

/** As many entries as a page may have. */
const PAGE = 100;
/** As many as are looked at again after an absence. */
const NEWEST = 30;
/** A gap that stays is asked for ever more seldom, up to this many times the first wait. */
const MOST_PATIENT = 16;

/** Fetches what a room's log should have and has not: entries in a gap, and translations that were missed. */
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
  fetch(seq: number): void {
    void this.#read({ after_seq: seq - 1, limit: 1 });
  }

  /** Reads the newest entries again: translations that came in the caller's absence are told by nothing else. */
  async refresh(): Promise<void> {
    const { log } = this.room;
    if (!log.loaded) return;
    await this.#read({ after_seq: Math.max(0, log.oldest - 1, log.upTo - NEWEST), limit: NEWEST });
  }

  /** Whether one of the newest entries waits for a translation that should have come by now. */
  get isPending(): boolean {
    const { room } = this.room;
    if (room === null || (room.translation !== undefined && room.translation !== "auto")) return false;
    const languages = room.members.flatMap(({ language }) => language ?? []);
    return this.room.messages.slice(-NEWEST).some((message) => lacksOneOf(languages, message));
  }

  async #read(fields: { after_seq: number; limit: number }): Promise<void> {
    try {
      const page = await this.context.requests.call("getChatHistory", { room_id: this.room.roomId, ...fields });
      this.room.take(page.messages);
    } catch {
      // Entries are looked for again by their gap; translations after the next absence.
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
        if ((known.translations[language]?.at ?? 0) < at) this.fetch(seq);
      });
    }
  }
}

function lacksOneOf(languages: readonly string[], { kind, language, translations }: Message): boolean {
  if (kind !== "text" || language === null) return false;
  return languages.some((wanted) => wanted.toLowerCase() !== language.toLowerCase() && translations[wanted] === undefined);
}
