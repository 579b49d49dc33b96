import type { Message } from "./protocol.js";
import type { OpenRoom, RoomContext } from "./room-context.js";

/** The most entries that one page can have. */
const PAGE_SIZE = 100;
/** After a reconnect this many of the newest entries are read again, because existing translations may have changed. */
const RECENT_ENTRIES = 30;

interface Schedule {
  /** The number of the check that requests it next. */
  nextCheck: number;
  /** How many checks later it is requested again. */
  interval: number;
}

/**
 * Finds translations that never arrived. No sequence number reveals them, as `seq` does for entries. An entry without a
 * translation that its room's members need is read again, less and less often, because some are never made.
 */
export class MissingTranslations {
  readonly #schedules = new Map<number, Schedule>();
  #checks = 0;

  constructor(
    private readonly room: OpenRoom,
    private readonly context: RoomContext,
  ) {}

  /** Reads everything again that may have changed while the client was offline. */
  async refresh(): Promise<void> {
    const { log } = this.room;
    if (!log.loaded) return;
    this.#schedules.clear();
    const recent = log.messages.slice(-RECENT_ENTRIES).map(({ seq }) => seq);
    const seqs = new Set([...this.#untranslated(), ...recent]);
    await this.#read([...seqs].sort((a, b) => a - b));
  }

  /** Called with every heartbeat. */
  async check(): Promise<void> {
    this.#checks += 1;
    const untranslated = this.#untranslated();
    for (const seq of this.#schedules.keys()) {
      if (!untranslated.includes(seq)) this.#schedules.delete(seq);
    }
    const due: number[] = [];
    for (const seq of untranslated) {
      const schedule = this.#schedules.get(seq) ?? { nextCheck: this.#checks, interval: 1 };
      this.#schedules.set(seq, schedule);
      if (schedule.nextCheck > this.#checks) continue;
      due.push(seq);
      schedule.nextCheck = this.#checks + schedule.interval;
      schedule.interval *= 2;
    }
    await this.#read(due);
  }

  #untranslated(): number[] {
    const { room, log } = this.room;
    if (room === null || (room.translation !== undefined && room.translation !== "auto")) return [];
    const languages = new Set(room.members.flatMap(({ language }) => language ?? []));
    return log.messages.filter((message) => lacksTranslation(message, languages)).map(({ seq }) => seq);
  }

  /** Reads these entries, in ascending order, and everything between them, page by page. */
  async #read(seqs: readonly number[]): Promise<void> {
    let readUpTo = 0;
    for (const seq of seqs) {
      if (seq <= readUpTo) continue;
      const last = seqs.filter((other) => other < seq + PAGE_SIZE).at(-1) ?? seq;
      const fields = { room_id: this.room.roomId, after_seq: seq - 1, limit: last - seq + 1 };
      const page = await this.context.requests.call("getChatHistory", fields);
      this.room.add(page.messages);
      readUpTo = page.messages.at(-1)?.seq ?? seq;
    }
  }
}

function lacksTranslation(message: Message, languages: ReadonlySet<string>): boolean {
  const { kind, language, translations, deleted_at: deletedAt } = message;
  if (kind !== "text" || deletedAt != null) return false;
  const available = new Set([language ?? "", ...Object.keys(translations)].map((tag) => tag.toLowerCase()));
  return [...languages].some((wanted) => !available.has(wanted.toLowerCase()));
}
