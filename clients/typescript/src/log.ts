import type { Message, Translation } from "./protocol.js";

/** The most translations that are kept for entries that have not arrived yet. */
const MAX_EARLY_TRANSLATIONS = 500;

/**
 * The known part of a room's log: a range of entries without gaps, and entries ahead of it that wait for those in
 * between. Its final state does not depend on the order in which entries and translations arrive, nor on how often.
 */
export class Log {
  #entries: Message[] = [];
  #snapshot: readonly Message[] | null = [];
  readonly #ahead = new Map<number, Message>();
  readonly #earlyTranslations = new Map<number, Map<string, Translation>>();
  readonly #ids = new Set<string>();
  #loaded = false;
  #highestSeq = 0;
  hasOlder = false;

  /** Whether a newest page has been added. Until then, all entries wait. */
  get loaded(): boolean {
    return this.#loaded;
  }

  /** The end of the range without gaps. */
  get lastSeq(): number {
    return this.#entries.at(-1)?.seq ?? 0;
  }

  get firstSeq(): number {
    return this.#entries[0]?.seq ?? 1;
  }

  /** Whether entries beyond `lastSeq` are known to exist. */
  get isBehind(): boolean {
    return this.#loaded && this.#highestSeq > this.lastSeq;
  }

  /** Returns the same array until something changes. */
  get messages(): readonly Message[] {
    this.#snapshot ??= this.#entries.slice();
    return this.#snapshot;
  }

  /** Whether the range without gaps contains this message. */
  has(messageId: string): boolean {
    return this.#ids.has(messageId);
  }

  entriesAfter(seq: number): readonly Message[] {
    return this.#entries.slice(Math.max(0, seq + 1 - this.firstSeq));
  }

  get(seq: number): Message | undefined {
    return this.#entries[seq - this.firstSeq];
  }

  /**
   * Adds the newest page. If it does not connect to the known entries, those are dropped: after a long absence the
   * reader continues at the end.
   */
  addNewestPage(entries: readonly Message[], hasOlder: boolean): void {
    const page = entries.map(complete);
    const [first] = page;
    const connects = this.#loaded && (first === undefined || first.seq <= this.lastSeq + 1);
    if (!connects) {
      this.#entries = [];
      this.#ids.clear();
      this.#loaded = true;
      this.hasOlder = hasOlder;
      for (const message of page) this.#append(message);
      this.#changed();
    }
    for (const message of page) this.add(message);
    this.#absorbAhead();
  }

  /** Adds an older page before the known entries, as far as it connects to them. */
  addOlderPage(page: readonly Message[], hasOlder: boolean): void {
    const older = page.filter((message) => message.seq < this.firstSeq).sort((a, b) => b.seq - a.seq);
    for (const message of older.map(complete)) {
      if (message.seq !== this.firstSeq - 1) break;
      this.#entries.unshift(this.#withEarlyTranslations(message));
      this.#ids.add(message.message_id);
    }
    this.hasOlder = hasOlder;
    this.#changed();
  }

  /** Adds an entry from any source. */
  add(entry: Message): void {
    const message = complete(entry);
    const { seq } = message;
    this.expectUpTo(seq);
    if (!this.#loaded || seq > this.lastSeq + 1) {
      const waiting = this.#ahead.get(seq);
      this.#ahead.set(seq, waiting === undefined ? message : merge(waiting, message));
    } else if (seq <= this.lastSeq) {
      this.#replace(seq, (known) => merge(known, message));
    } else {
      this.#append(message);
      this.#changed();
      this.#absorbAhead();
    }
  }

  addTranslation(seq: number, translation: Translation): void {
    const waiting = this.#ahead.get(seq);
    if (this.#loaded && this.get(seq) !== undefined) {
      this.#replace(seq, (entry) => withTranslations(entry, [translation]));
    } else if (waiting !== undefined) {
      this.#ahead.set(seq, withTranslations(waiting, [translation]));
    } else {
      this.#keepEarlyTranslation(seq, translation);
    }
  }

  /** Entries up to this one are known to exist. */
  expectUpTo(seq: number): void {
    this.#highestSeq = Math.max(this.#highestSeq, seq);
  }

  #append(message: Message): void {
    this.#entries.push(this.#withEarlyTranslations(message));
    this.#ids.add(message.message_id);
  }

  /** Moves waiting entries into the range, as far as they connect to it. */
  #absorbAhead(): void {
    for (const [seq, message] of this.#ahead) {
      if (seq > this.lastSeq) continue;
      this.#replace(seq, (known) => merge(known, message));
      this.#ahead.delete(seq);
    }
    for (let next = this.#nextAhead(); next !== undefined; next = this.#nextAhead()) {
      this.#ahead.delete(next.seq);
      this.#append(next);
      this.#changed();
    }
  }

  #nextAhead(): Message | undefined {
    return this.#ahead.get(this.lastSeq + 1);
  }

  #replace(seq: number, change: (known: Message) => Message): void {
    const known = this.get(seq);
    if (known === undefined) return;
    const changed = change(known);
    if (changed === known) return;
    this.#entries[seq - this.firstSeq] = changed;
    this.#changed();
  }

  #withEarlyTranslations(message: Message): Message {
    const early = this.#earlyTranslations.get(message.seq);
    if (early === undefined) return message;
    this.#earlyTranslations.delete(message.seq);
    return withTranslations(message, [...early.values()]);
  }

  #keepEarlyTranslation(seq: number, translation: Translation): void {
    const early = this.#earlyTranslations.get(seq) ?? new Map<string, Translation>();
    this.#earlyTranslations.set(seq, early);
    const known = early.get(translation.language);
    if (known === undefined || known.version < translation.version) early.set(translation.language, translation);
    const [oldest] = this.#earlyTranslations.keys();
    if (this.#earlyTranslations.size > MAX_EARLY_TRANSLATIONS && oldest !== undefined) {
      this.#earlyTranslations.delete(oldest);
    }
  }

  #changed(): void {
    this.#snapshot = null;
  }
}

/** Fills in what an entry may lack if it is of a kind that this version does not know. */
export function complete(entry: Message): Message {
  const { message = "", translations = {} } = entry as Partial<Message>;
  return message === entry.message && translations === entry.translations ? entry : { ...entry, message, translations };
}

/** Merges two views of an entry: the later edit, with the highest version of each translation. */
function merge(known: Message, other: Message): Message {
  const changedAt = ({ edited_at = 0, deleted_at = 0 }: Message) => Math.max(edited_at, deleted_at);
  const newest = changedAt(other) > changedAt(known) ? { ...other, translations: known.translations } : known;
  return withTranslations(newest, Object.values(other.translations));
}

/** Returns the same object if none of the translations is newer. */
function withTranslations(message: Message, translations: readonly Translation[]): Message {
  const versionOf = (all: Message["translations"], language: string) => all[language]?.version ?? 0;
  const newer = translations.filter(({ language, version }) => versionOf(message.translations, language) < version);
  if (newer.length === 0) return message;
  const all = { ...message.translations };
  for (const translation of newer) {
    if (versionOf(all, translation.language) < translation.version) all[translation.language] = translation;
  }
  return { ...message, translations: all };
}
