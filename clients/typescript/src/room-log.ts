import type { Alarms } from "./alarms.js";
import type { Outgoing, RoomLog, Timing } from "./api.js";
import { DamsoError, retryAfter } from "./errors.js";
import { MissingTranslations } from "./missing-translations.js";
import { Log } from "./log.js";
import type { Acknowledgement, Outbox } from "./outbox.js";
import type { Message, Replies, Room, Sender, Translation } from "./protocol.js";
import { ReadMark } from "./read-mark.js";
import { Repair } from "./repair.js";
import type { Requests } from "./requests.js";

/** What all rooms' logs share. */
export interface LogContext {
  readonly requests: Requests;
  readonly outbox: Outbox;
  readonly timing: Timing;
  readonly alarms: Alarms;
  readonly random: () => number;
  /** Who the caller is, as far as that is known. */
  self(): { sender: Sender; language: string | null } | null;
  roomOf(roomId: string): Room | null;
  takeRoom(room: Room): void;
  /** The caller has read so far, and so many are unread. */
  marked(roomId: string, seq: number, unread: number): void;
  /** An entry came by whichever way. */
  seen(message: Message): void;
  changed(roomId: string): void;
  appended(message: Message): void;
}

/** A room as its reader sees it: the log, what is on its way, and how far everybody has read. */
export class OpenableLog implements RoomLog {
  readonly log = new Log();
  readonly repair: Repair;
  readonly missing: MissingTranslations;
  readonly #readMark: ReadMark;
  /** Acknowledged, but not yet part of the log: entries in between are missing. */
  readonly #settling = new Map<string, Outgoing>();
  #readMarks: Readonly<Record<string, number>> = {};
  #opening: Promise<void> | null = null;
  #olderLoading: Promise<void> | null = null;
  #visit = 0;
  /** Up to here the listeners know. */
  #announced = 0;
  #outgoing: readonly Outgoing[] | null = null;

  constructor(readonly roomId: string, private readonly context: LogContext) {
    this.repair = new Repair(this, context);
    this.missing = new MissingTranslations(this, context);
    this.#readMark = new ReadMark(roomId, context);
  }

  get isOpen(): boolean {
    return this.#opening !== null;
  }

  get room(): Room | null {
    return this.context.roomOf(this.roomId);
  }

  get messages(): readonly Message[] {
    return this.log.messages;
  }

  get hasOlder(): boolean {
    return this.log.hasOlder;
  }

  get readMarks(): Readonly<Record<string, number>> {
    return this.#readMarks;
  }

  get outgoing(): readonly Outgoing[] {
    if (this.#outgoing === null) {
      const under = [...this.#settling.values(), ...this.context.outbox.of(this.roomId)];
      this.#outgoing = under.filter(({ messageId }) => !this.log.has(messageId));
    }
    return this.#outgoing;
  }

  open(): Promise<void> {
    if (this.#opening === null) {
      this.#visit += 1;
      const visit = this.#visit;
      this.#opening = this.#open(visit).catch((error: unknown) => {
        if (visit === this.#visit) this.leave();
        throw error;
      });
    }
    return this.#opening;
  }

  leave(): void {
    this.#visit += 1;
    this.#opening = null;
    this.#settling.clear();
    this.repair.stop();
    this.changed();
  }

  loadOlder(limit = 30): Promise<void> {
    this.#olderLoading ??= this.#loadOlder(limit).finally(() => (this.#olderLoading = null));
    return this.#olderLoading;
  }

  markRead(seq: number): void {
    this.#readMark.move(seq);
  }

  async translate(seq: number, language: string): Promise<Translation> {
    const { translation } = await this.context.requests.call("translateMessage", { room_id: this.roomId, seq, language });
    this.takeTranslation(seq, translation);
    return translation;
  }

  async correct(seq: number, language: string, text: string, version: number): Promise<Translation> {
    const fields = { room_id: this.roomId, seq, language, translated_message: text, version };
    try {
      const { translation } = await this.context.requests.call("setTranslatedMessage", fields);
      this.takeTranslation(seq, translation);
      return translation;
    } catch (error) {
      const current = error instanceof DamsoError ? error.refusal.translation : undefined;
      if (current !== undefined) this.takeTranslation(seq, current);
      throw error;
    }
  }

  async *search(query: string): AsyncGenerator<readonly Message[]> {
    let next: { before_seq?: number; after_seq?: number } | undefined = {};
    while (next !== undefined) {
      try {
        const page: Replies["getChatHistory"] = await this.context.requests.call("getChatHistory", { room_id: this.roomId, query, ...next });
        next = page.has_more ? page.next : undefined;
        if (page.messages.length > 0) yield page.messages;
      } catch (error) {
        const wait = retryAfter(error);
        if (wait === null) throw error;
        await new Promise<void>((resolve, reject) => this.context.alarms.after(wait, resolve, () => reject(error)));
      }
    }
  }

  retry(messageId: string): void {
    this.context.outbox.retry(messageId);
  }

  discard(messageId: string): void {
    this.context.outbox.discard(messageId);
  }

  /** Takes in entries by whichever way they came, and tells the listeners of those that the log grew by. */
  take(messages: readonly Message[]): void {
    for (const message of messages) this.context.seen(message);
    if (!this.isOpen) return;
    for (const message of messages) this.log.take(message);
    this.#grown();
  }

  takeTranslation(seq: number, translation: Translation): void {
    this.log.takeTranslation(seq, translation);
    this.changed();
  }

  takeReadMark(participant: string, seq: number): void {
    this.#takeReadMarks({ [participant]: seq });
  }

  /** A view of the room came, by whichever way: it says how long the log is and how far everybody has read. */
  takeRoom(room: Room): void {
    this.#takeReadMarks(Object.fromEntries(room.members.map((member) => [member.participant, member.last_read_seq])));
    this.hearOf(room.last_seq);
  }

  /** This connection hears the room. */
  joined(room: Room): void {
    this.context.takeRoom(room);
    this.takeRoom(room);
  }

  /** The log is at least this long. */
  hearOf(seq: number): void {
    this.log.hearOf(seq);
    if (this.isOpen) this.repair.look();
  }

  /** The reply is the sender's own copy of a message, because no event of it comes to the connection that sent it. */
  acknowledged(message: Outgoing, { seq, sent_at: sentAt }: Acknowledgement): void {
    if (!this.isOpen) return;
    this.#settling.set(message.messageId, message);
    const self = this.context.self();
    if (self === null) {
      // How the server calls the sender is not known before the first of their entries was seen.
      this.hearOf(seq);
      void this.repair.fetch(seq);
      return;
    }
    const entry: Message = {
      room_id: this.roomId, seq, message_id: message.messageId, kind: "text", sender: self.sender, message: message.text,
      language: message.language ?? self.language, sent_at: sentAt, translations: {}, reply_to: message.replyTo ?? null,
    };
    this.take([entry]);
  }

  changed(): void {
    this.#outgoing = null;
    this.context.changed(this.roomId);
  }

  /** A mark never goes back: an older view may come after a newer event. */
  #takeReadMarks(marks: Readonly<Record<string, number>>): void {
    const further = Object.entries(marks).filter(([participant, seq]) => seq > (this.#readMarks[participant] ?? 0));
    if (further.length === 0) return;
    this.#readMarks = { ...this.#readMarks, ...Object.fromEntries(further) };
    this.changed();
  }

  async #open(visit: number): Promise<void> {
    const { requests } = this.context;
    const joined = requests.call("joinGroup", { group_id: this.roomId });
    // In an open room only who has joined hears what comes after the page, and may read it at all.
    if (this.roomId.startsWith("open:")) await joined;
    const read = () => requests.call("getChatHistory", { room_id: this.roomId });
    const early = read().catch(() => null);
    const { room } = await joined;
    // It may have been refused because the caller was no member yet.
    const page = (await early) ?? (await read());
    if (visit !== this.#visit) return;
    this.context.takeRoom(room);
    for (const message of page.messages) this.context.seen(message);
    this.log.start(page.messages, page.has_more);
    this.#announced = Math.max(this.#announced, page.messages.at(-1)?.seq ?? 0);
    this.takeRoom(room);
    this.#grown();
  }

  async #loadOlder(limit: number): Promise<void> {
    if (!this.log.loaded || !this.log.hasOlder) return;
    const before = this.log.oldest;
    const page = await this.context.requests.call("getChatHistory", { room_id: this.roomId, before_seq: before, limit });
    // The log may have begun anew meanwhile.
    if (this.log.oldest !== before) return;
    this.log.prepend(page.messages, page.has_more);
    this.changed();
  }

  #grown(): void {
    for (const messageId of this.#settling.keys()) if (this.log.has(messageId)) this.#settling.delete(messageId);
    const grownBy = this.log.after(this.#announced);
    this.#announced = Math.max(this.#announced, this.log.upTo);
    this.changed();
    for (const message of grownBy) this.context.appended(message);
    this.repair.look();
  }
}
