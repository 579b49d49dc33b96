import type { Message, Translation } from "./protocol.js";

/** Translations of entries that are not there yet; more than these are not kept. */
const EARLY = 500;

/**
 * What is known of a room's log: a part without a hole, up to some `seq`, and entries ahead of it that wait for those in between.
 * Whatever the order in which things come, and however often, it ends in the same state.
 */
export class Log {
  #entries: Message[] = [];
  #snapshot: readonly Message[] | null = [];
  readonly #ahead = new Map<number, Message>();
  readonly #early = new Map<number, Map<string, Translation>>();
  readonly #ids = new Set<string>();
  #loaded = false;
  #highest = 0;
  hasOlder = false;

  /** Whether a newest page has come; before, everything that comes waits. */
  get loaded(): boolean {
    return this.#loaded;
  }

  /** Everything up to here is there, from the oldest entry on. */
  get upTo(): number {
    return this.#entries.at(-1)?.seq ?? 0;
  }

  get oldest(): number {
    return this.#entries[0]?.seq ?? 1;
  }

  /** Whether something is known to exist beyond `upTo`. */
  get isBehind(): boolean {
    return this.#loaded && this.#highest > this.upTo;
  }

  /** The same array as long as nothing changes. */
  get messages(): readonly Message[] {
    return (this.#snapshot ??= this.#entries.slice());
  }

  /** Whether the part without a hole has this message. */
  has(messageId: string): boolean {
    return this.#ids.has(messageId);
  }

  /** The entries after this one. */
  after(seq: number): readonly Message[] {
    return this.#entries.slice(Math.max(0, seq + 1 - this.oldest));
  }

  at(seq: number): Message | undefined {
    return this.#entries[seq - this.oldest];
  }

  /**
   * Begins with the newest page, or goes on with it where it joins what is there. Where it does not, what is there is dropped: a
   * person who comes back after a long time reads on at the end.
   */
  start(page: readonly Message[], hasOlder: boolean): void {
    const [first] = page;
    const joins = this.#loaded && (first === undefined || first.seq <= this.upTo + 1);
    if (!joins) {
      this.#entries = [];
      this.#ids.clear();
      this.#loaded = true;
      this.hasOlder = hasOlder;
      for (const message of page) this.#append(message);
      this.#changed();
    }
    for (const message of page) this.take(message);
    this.#drain();
  }

  /** Takes in an entry from anywhere. */
  take(message: Message): void {
    const { seq } = message;
    this.#highest = Math.max(this.#highest, seq);
    if (!this.#loaded || seq > this.upTo + 1) {
      const waiting = this.#ahead.get(seq);
      this.#ahead.set(seq, waiting === undefined ? message : merged(waiting, message));
    } else if (seq <= this.upTo) {
      this.#replace(seq, (known) => merged(known, message));
    } else {
      this.#append(message);
      this.#changed();
      this.#drain();
    }
  }

  takeTranslation(seq: number, translation: Translation): void {
    const known = this.#ahead.get(seq);
    if (this.#loaded && this.at(seq) !== undefined) {
      this.#replace(seq, (entry) => translated(entry, [translation]));
    } else if (known !== undefined) {
      this.#ahead.set(seq, translated(known, [translation]));
    } else {
      this.#keepEarly(seq, translation);
    }
  }

  /** Puts an older page before what is there, as far as it joins. */
  prepend(page: readonly Message[], hasOlder: boolean): void {
    const older = page.filter((message) => message.seq < this.oldest).sort((a, b) => b.seq - a.seq);
    for (const message of older) {
      if (message.seq !== this.oldest - 1) break;
      this.#entries.unshift(this.#withEarly(message));
      this.#ids.add(message.message_id);
    }
    this.hasOlder = hasOlder;
    this.#changed();
  }

  /** Somebody says that the log is this long. */
  hearOf(seq: number): void {
    this.#highest = Math.max(this.#highest, seq);
  }

  #append(message: Message): void {
    this.#entries.push(this.#withEarly(message));
    this.#ids.add(message.message_id);
  }

  #drain(): void {
    for (const [seq, message] of this.#ahead) {
      if (seq > this.upTo) continue;
      this.#replace(seq, (known) => merged(known, message));
      this.#ahead.delete(seq);
    }
    for (let next = this.#ahead.get(this.upTo + 1); next !== undefined; next = this.#ahead.get(this.upTo + 1)) {
      this.#ahead.delete(next.seq);
      this.#append(next);
      this.#changed();
    }
  }

  #replace(seq: number, change: (known: Message) => Message): void {
    const known = this.at(seq);
    if (known === undefined) return;
    const changed = change(known);
    if (changed === known) return;
    this.#entries[seq - this.oldest] = changed;
    this.#changed();
  }

  #withEarly(message: Message): Message {
    const early = this.#early.get(message.seq);
    if (early === undefined) return message;
    this.#early.delete(message.seq);
    return translated(message, [...early.values()]);
  }

  #keepEarly(seq: number, translation: Translation): void {
    const early = this.#early.get(seq) ?? new Map<string, Translation>();
    this.#early.set(seq, early);
    const known = early.get(translation.language);
    if (known === undefined || known.version < translation.version) early.set(translation.language, translation);
    const [oldest] = this.#early.keys();
    if (this.#early.size > EARLY && oldest !== undefined) this.#early.delete(oldest);
  }

  #changed(): void {
    this.#snapshot = null;
  }
}

/** Of two views of one entry the later edited one, with the highest version of each translation. The known one if nothing is newer. */
function merged(known: Message, other: Message): Message {
  const changedAt = ({ edited_at = 0, deleted_at = 0 }: Message) => Math.max(edited_at, deleted_at);
  const newest = changedAt(other) > changedAt(known) ? { ...other, translations: known.translations } : known;
  return translated(newest, Object.values(other.translations));
}

function translated(message: Message, translations: readonly Translation[]): Message {
  const newer = translations.filter(({ language, version }) => (message.translations[language]?.version ?? 0) < version);
  if (newer.length === 0) return message;
  const all = { ...message.translations };
  for (const translation of newer) {
    if ((all[translation.language]?.version ?? 0) < translation.version) all[translation.language] = translation;
  }
  return { ...message, translations: all };
}
