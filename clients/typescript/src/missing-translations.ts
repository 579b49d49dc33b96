import type { LogContext, OpenableLog } from "./room-log.js";
import type { Message } from "./protocol.js";

/** As many entries as a page may have. */
const PAGE = 100;
/** As many as are looked at again after an absence, whatever they have: a translation that there is may have changed. */
const NEWEST = 30;

interface Waiting {
  /** At which look it is asked for. */
  due: number;
  /** So many looks later it is asked for again. */
  wait: number;
}

/**
 * Finds translations that never came. No number tells of them as `seq` does of an entry: an entry without the translation that its
 * room's members need is read again, ever more seldom, because some are never made.
 */
export class MissingTranslations {
  readonly #waiting = new Map<number, Waiting>();
  #looks = 0;

  constructor(private readonly room: OpenableLog, private readonly context: LogContext) {}

  /** After an absence: everything that may have changed meanwhile. */
  async refresh(): Promise<void> {
    const { log } = this.room;
    if (!log.loaded) return;
    this.#waiting.clear();
    const newest = this.room.messages.slice(-NEWEST).map(({ seq }) => seq);
    await this.#read([...new Set([...this.#lacking(), ...newest])].sort((a, b) => a - b));
  }

  /** With every heartbeat. */
  async look(): Promise<void> {
    this.#looks += 1;
    const lacking = this.#lacking();
    for (const seq of this.#waiting.keys()) if (!lacking.includes(seq)) this.#waiting.delete(seq);
    const due: number[] = [];
    for (const seq of lacking) {
      const waiting = this.#waiting.get(seq) ?? { due: this.#looks, wait: 1 };
      this.#waiting.set(seq, waiting);
      if (waiting.due > this.#looks) continue;
      due.push(seq);
      waiting.due = this.#looks + waiting.wait;
      waiting.wait *= 2;
    }
    await this.#read(due);
  }

  #lacking(): number[] {
    const { room } = this.room;
    if (room === null || (room.translation !== undefined && room.translation !== "auto")) return [];
    const languages = new Set(room.members.flatMap(({ language }) => language ?? []));
    return this.room.messages.filter((message) => lacksOneOf(languages, message)).map(({ seq }) => seq);
  }

  /** Reads these entries again, and what stands between them, by the page. */
  async #read(seqs: readonly number[]): Promise<void> {
    let read = 0;
    for (const seq of seqs) {
      if (seq <= read) continue;
      const last = seqs.filter((other) => other < seq + PAGE).at(-1) ?? seq;
      const limit = last - seq + 1;
      const page = await this.context.requests.call("getChatHistory", { room_id: this.room.roomId, after_seq: seq - 1, limit });
      this.room.take(page.messages);
      read = page.messages.at(-1)?.seq ?? seq;
    }
  }
}

function lacksOneOf(languages: ReadonlySet<string>, { kind, language, translations, deleted_at: deletedAt }: Message): boolean {
  if (kind !== "text" || language == null || deletedAt != null) return false;
  const there = new Set([language, ...Object.keys(translations)].map((tag) => tag.toLowerCase()));
  return [...languages].some((wanted) => !there.has(wanted.toLowerCase()));
}
