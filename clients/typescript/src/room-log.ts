import type { OutgoingMessage, RoomLog } from "./api.js";
import { DamsoError, retryAfterMs } from "./errors.js";
import { GapRepair } from "./gap-repair.js";
import { complete, Log } from "./log.js";
import { MissingTranslations } from "./missing-translations.js";
import type { Acknowledgement } from "./outbox.js";
import type { Message, Replies, Requests, Room, Translation } from "./protocol.js";
import { ReadMarker } from "./read-marker.js";
import type { OpenRoom, RoomContext } from "./room-context.js";

/** A room as its reader sees it, kept up to date: the log, outgoing messages, and how far everybody has read. */
export class LiveRoomLog implements RoomLog, OpenRoom {
  readonly log = new Log();
  readonly gapRepair: GapRepair;
  readonly missingTranslations: MissingTranslations;
  readonly #readMarker: ReadMarker;
  /** Acknowledged, but not part of the log yet because entries before them are missing. */
  readonly #acknowledged = new Map<string, OutgoingMessage>();
  #readMarkers: Readonly<Record<string, number>> = {};
  #opening: Promise<void> | null = null;
  #loadingOlder: Promise<void> | null = null;
  /** Incremented by `open` and `leave`, so that a reply to an earlier `open` is ignored. */
  #generation = 0;
  /** The listeners know of all entries up to this one. */
  #announcedUpTo = 0;
  #outgoing: readonly OutgoingMessage[] | null = null;

  constructor(
    readonly roomId: string,
    private readonly context: RoomContext,
  ) {
    this.gapRepair = new GapRepair(this, context);
    this.missingTranslations = new MissingTranslations(this, context);
    this.#readMarker = new ReadMarker(roomId, context);
  }

  get isOpen(): boolean {
    return this.#opening !== null;
  }

  get room(): Room | null {
    return this.context.knownRoom(this.roomId);
  }

  get messages(): readonly Message[] {
    return this.log.messages;
  }

  get hasOlder(): boolean {
    return this.log.hasOlder;
  }

  get readMarkers(): Readonly<Record<string, number>> {
    return this.#readMarkers;
  }

  get outgoing(): readonly OutgoingMessage[] {
    if (this.#outgoing === null) {
      const messages = [...this.#acknowledged.values(), ...this.context.outbox.inRoom(this.roomId)];
      this.#outgoing = messages.filter(({ messageId }) => !this.log.has(messageId));
    }
    return this.#outgoing;
  }

  open(): Promise<void> {
    if (this.#opening === null) {
      this.#generation += 1;
      const generation = this.#generation;
      this.#opening = this.#open(generation).catch((error: unknown) => {
        if (generation === this.#generation) this.leave();
        throw error;
      });
    }
    return this.#opening;
  }

  leave(): void {
    this.#generation += 1;
    this.#opening = null;
    this.#acknowledged.clear();
    this.gapRepair.stop();
    this.changed();
  }

  loadOlder(limit = 30): Promise<void> {
    this.#loadingOlder ??= this.#loadOlder(limit).finally(() => {
      this.#loadingOlder = null;
    });
    return this.#loadingOlder;
  }

  markRead(seq: number): void {
    this.#readMarker.moveTo(seq);
  }

  async translate(seq: number, language: string): Promise<Translation> {
    const fields = { room_id: this.roomId, seq, language };
    const { translation } = await this.context.requests.call("translateMessage", fields);
    this.addTranslation(seq, translation);
    return translation;
  }

  async correct(seq: number, language: string, text: string, version: number): Promise<Translation> {
    const fields = { room_id: this.roomId, seq, language, translated_message: text, version };
    try {
      const { translation } = await this.context.requests.call("setTranslatedMessage", fields);
      this.addTranslation(seq, translation);
      return translation;
    } catch (error) {
      const current = error instanceof DamsoError ? error.refusal.translation : undefined;
      if (current !== undefined) this.addTranslation(seq, current);
      throw error;
    }
  }

  async *search(query: string): AsyncGenerator<readonly Message[]> {
    let next: Partial<Requests["getChatHistory"]> | undefined = {};
    while (next !== undefined) {
      try {
        const fields: Requests["getChatHistory"] = { room_id: this.roomId, query, ...next };
        const page: Replies["getChatHistory"] = await this.context.requests.call("getChatHistory", fields);
        next = page.has_more ? page.next : undefined;
        if (page.messages.length > 0) yield page.messages.map(complete);
      } catch (error) {
        const delayMs = retryAfterMs(error);
        if (delayMs === null) throw error;
        await new Promise<void>((resolve, reject) => {
          this.context.timers.after(delayMs, resolve, () => reject(error));
        });
      }
    }
  }

  retry(messageId: string): void {
    this.context.outbox.retry(messageId);
  }

  discard(messageId: string): void {
    this.context.outbox.discard(messageId);
  }

  /** Adds entries from any source and tells the listeners of those that the log grew by. */
  add(messages: readonly Message[]): void {
    for (const message of messages) this.context.entrySeen(message);
    if (!this.isOpen) return;
    for (const message of messages) this.log.add(message);
    this.#announce();
  }

  addTranslation(seq: number, translation: Translation): void {
    this.log.addTranslation(seq, translation);
    this.changed();
  }

  moveReadMarker(participant: string, seq: number): void {
    this.#moveReadMarkers({ [participant]: seq });
  }

  /** Applies a view of the room, from any source: it says how long the log is and how far everybody has read. */
  updateRoom(room: Room): void {
    this.#moveReadMarkers(Object.fromEntries(room.members.map((member) => [member.participant, member.last_read_seq])));
    this.expectUpTo(room.last_seq);
  }

  /** The current connection is subscribed to the room. */
  joined(room: Room): void {
    this.context.updateRoom(room);
    this.updateRoom(room);
  }

  /** Entries up to this one are known to exist. */
  expectUpTo(seq: number): void {
    this.log.expectUpTo(seq);
    if (this.isOpen) this.gapRepair.check();
  }

  /** Adds the caller's own message: the connection that sent it gets no event, so the reply is its only copy. */
  acknowledged(message: OutgoingMessage, { seq, sent_at: sentAt }: Acknowledgement): void {
    if (!this.isOpen) return;
    this.#acknowledged.set(message.messageId, message);
    const self = this.context.self();
    if (self === null) {
      // How the server names the sender is unknown until one of their entries has been seen.
      this.expectUpTo(seq);
      void this.gapRepair.refetch(seq);
      return;
    }
    const entry: Message = {
      room_id: this.roomId,
      seq,
      message_id: message.messageId,
      kind: "text",
      sender: self.sender,
      message: message.text,
      language: message.language ?? self.language,
      sent_at: sentAt,
      translations: {},
      reply_to: message.replyTo ?? null,
    };
    this.add([entry]);
  }

  changed(): void {
    this.#outgoing = null;
    this.context.roomChanged(this.roomId);
  }

  /** Markers never move back: an older view may arrive after a newer event. */
  #moveReadMarkers(markers: Readonly<Record<string, number>>): void {
    const moved = Object.entries(markers).filter(([participant, seq]) => seq > (this.#readMarkers[participant] ?? 0));
    if (moved.length === 0) return;
    this.#readMarkers = { ...this.#readMarkers, ...Object.fromEntries(moved) };
    this.changed();
  }

  async #open(generation: number): Promise<void> {
    const { requests } = this.context;
    const joined = requests.call("joinGroup", { group_id: this.roomId });
    // Only members of an open room may read it and receive what follows the page, so join first.
    if (this.roomId.startsWith("open:")) await joined;
    const read = () => requests.call("getChatHistory", { room_id: this.roomId });
    const earlyPage = read().catch(() => null);
    const { room } = await joined;
    // The early request may have been refused because the caller was not a member yet.
    const page = (await earlyPage) ?? (await read());
    if (generation !== this.#generation) return;
    this.context.updateRoom(room);
    for (const message of page.messages) this.context.entrySeen(message);
    this.log.addNewestPage(page.messages, page.has_more);
    this.#announcedUpTo = Math.max(this.#announcedUpTo, page.messages.at(-1)?.seq ?? 0);
    this.updateRoom(room);
    this.#announce();
  }

  async #loadOlder(limit: number): Promise<void> {
    if (!this.log.loaded || !this.log.hasOlder) return;
    const before = this.log.firstSeq;
    const fields = { room_id: this.roomId, before_seq: before, limit };
    const page = await this.context.requests.call("getChatHistory", fields);
    // The log may have started over in the meantime.
    if (this.log.firstSeq !== before) return;
    this.log.addOlderPage(page.messages, page.has_more);
    this.changed();
  }

  #announce(): void {
    for (const messageId of this.#acknowledged.keys()) {
      if (this.log.has(messageId)) this.#acknowledged.delete(messageId);
    }
    const appended = this.log.entriesAfter(this.#announcedUpTo);
    this.#announcedUpTo = Math.max(this.#announcedUpTo, this.log.lastSeq);
    this.changed();
    for (const message of appended) this.context.entryAppended(message);
    this.gapRepair.check();
  }
}
