import type { OutgoingMessage, RoomList } from "./api.js";
import { retryAfterMs } from "./errors.js";
import { languagesMatch } from "./languages-match.js";
import type { LastMessage, Message, Replies, Room, RoomStatus, Sender, Translation } from "./protocol.js";
import type { Requests } from "./requests.js";
import type { Timers } from "./timers.js";
import { UnreadCount } from "./unread-count.js";

const PAGE_SIZE = 30;
const MAX_PAGE_SIZE = 100;

export interface RoomListListener {
  listChanged(): void;
  roomChanged(roomId: string): void;
}

/** The user as a participant, and the language in which their messages come. Null while unknown. */
export interface Reader {
  readonly participant: string | null;
  readonly language: string | null;
}

/** All known rooms, and the list of them that is loaded: most recent first, of one status or of all. */
export class LiveRoomList implements RoomList {
  readonly #known = new Map<string, Room>();
  readonly #unreadCounts = new Map<string, UnreadCount>();
  readonly #listed = new Set<string>();
  /** Unknown rooms that are being requested, with entries received since, which the reply may not include. */
  readonly #requested = new Map<string, Message[]>();
  #snapshot: readonly Room[] | null = [];
  #status: RoomStatus | undefined;
  #cursor: string | undefined;
  #wanted = false;
  #pendingPages = 0;
  /** Incremented by `load`. A page that was requested in an earlier generation is ignored. */
  #generation = 0;

  constructor(
    private readonly requests: Requests,
    private readonly timers: Timers,
    private readonly listener: RoomListListener,
  ) {}

  get rooms(): readonly Room[] {
    this.#snapshot ??= [...this.#listed]
      .flatMap((roomId) => this.#known.get(roomId) ?? [])
      .sort((a, b) => b.updated_at - a.updated_at || (a.room_id < b.room_id ? -1 : 1));
    return this.#snapshot;
  }

  get hasMore(): boolean {
    return this.#cursor !== undefined;
  }

  get loading(): boolean {
    return this.#pendingPages > 0;
  }

  get(roomId: string): Room | null {
    return this.#known.get(roomId) ?? null;
  }

  async load(status?: RoomStatus): Promise<void> {
    this.#generation += 1;
    if (status !== this.#status) this.#listed.clear();
    this.#status = status;
    this.#cursor = undefined;
    this.#wanted = true;
    await this.#loadPage({ limit: PAGE_SIZE });
  }

  async loadMore(): Promise<void> {
    if (this.#cursor !== undefined && !this.loading) {
      await this.#loadPage({ limit: PAGE_SIZE, cursor: this.#cursor });
    }
  }

  /** Reads the loaded rooms again, as far as one page reaches, because changes may have been missed. */
  async refresh(): Promise<void> {
    if (!this.#wanted) return;
    const cursor = this.#cursor;
    await this.#loadPage({ limit: Math.min(MAX_PAGE_SIZE, Math.max(PAGE_SIZE, this.#listed.size)) });
    // Rooms beyond that page stay loaded, so the list continues after them.
    if (cursor !== undefined && this.#listed.size > MAX_PAGE_SIZE) this.#cursor = cursor;
  }

  /** Applies a view of a room. Views of one room may arrive in any order. */
  update(room: Room): void {
    this.#putView(room);
    this.#changed();
  }

  addMessage(message: Message, reader: Reader): void {
    const { room_id: roomId, seq, kind, sender, sent_at: sentAt } = message;
    const known = this.#known.get(roomId);
    if (known === undefined) {
      this.#requestRoom(message, reader);
      return;
    }
    const isText = kind === "text";
    this.#addEntry(seq > known.last_seq ? withEvent(known, message) : known, {
      seq,
      sentAt,
      isUnread: isText && sender.participant !== reader.participant,
      preview: isText ? previewOf(message, reader.language) : null,
    });
  }

  /** Adds a message that this connection sent and therefore gets no event of. */
  addSent(message: OutgoingMessage, reply: Replies["sendMessage"], self: Sender | null): void {
    const { seq, sent_at: sentAt } = reply;
    const room = this.#known.get(message.roomId);
    if (room === undefined) return;
    const preview = self === null ? null : { seq, message: message.text, sender: self, sent_at: sentAt };
    this.#addEntry(room, { seq, sentAt, isUnread: false, preview });
  }

  /** Shows the newest message of a room in the reader's language. */
  addTranslation(roomId: string, seq: number, translation: Translation, reader: Reader): void {
    const room = this.#known.get(roomId);
    if (room?.last_message?.seq !== seq || !languagesMatch(translation.language, reader.language)) return;
    this.#put({ ...room, last_message: newerPreview(room.last_message, { ...room.last_message, translation }) });
    this.#changed();
  }

  /** The reader has chosen another language. */
  dropTranslations(): void {
    for (const [roomId, room] of this.#known) {
      if (room.last_message?.translation === undefined) continue;
      const { translation: _, ...original } = room.last_message;
      this.#known.set(roomId, { ...room, last_message: original });
      this.listener.roomChanged(roomId);
    }
    this.#changed();
  }

  /** The caller has read up to `seq`, perhaps on another device. `unreadCount` is null if it is unknown. */
  readUpTo(roomId: string, seq: number, unreadCount: number | null): void {
    const room = this.#known.get(roomId);
    if (room === undefined || seq < room.last_read_seq) return;
    const count = this.#unreadCount(roomId);
    count.readTo(seq, unreadCount);
    this.#known.set(roomId, { ...room, last_read_seq: seq, unread_count: count.value });
    this.listener.roomChanged(roomId);
    this.#changed();
  }

  #addEntry(room: Room, entry: { seq: number; sentAt: number; isUnread: boolean; preview: LastMessage | null }): void {
    const count = this.#unreadCount(room.room_id);
    count.addEntry(entry.seq, entry.isUnread);
    this.#put({
      ...room,
      last_seq: Math.max(room.last_seq, entry.seq),
      updated_at: Math.max(room.updated_at, entry.sentAt),
      last_message: newerPreview(room.last_message, entry.preview),
      unread_count: count.value,
    });
    this.#changed();
  }

  #unreadCount(roomId: string): UnreadCount {
    const count = this.#unreadCounts.get(roomId) ?? new UnreadCount();
    this.#unreadCounts.set(roomId, count);
    return count;
  }

  async #loadPage(page: { limit: number; cursor?: string }): Promise<void> {
    const generation = this.#generation;
    // A listed room that the first page of a status no longer contains has another status by now.
    const listedBefore = page.cursor === undefined && this.#status !== undefined ? [...this.#listed] : [];
    this.#pendingPages += 1;
    this.#changed();
    try {
      const fields = this.#status === undefined ? page : { ...page, status: this.#status };
      const reply = await this.requests.call("getRoomList", fields);
      if (generation !== this.#generation) return;
      for (const roomId of listedBefore) this.#listed.delete(roomId);
      for (const room of reply.rooms) this.#putView(room);
      this.#cursor = reply.next_cursor;
    } finally {
      this.#pendingPages -= 1;
      this.#changed();
    }
  }

  /** A message arrived in an unknown room. The room is requested on its own, because the list may lag by a minute. */
  #requestRoom(message: Message, reader: Reader): void {
    if (!this.#wanted) return;
    const { room_id: roomId } = message;
    const waiting = this.#requested.get(roomId);
    if (waiting !== undefined) {
      waiting.push(message);
      return;
    }
    const messages = [message];
    this.#requested.set(roomId, messages);
    void this.#joinRoom(roomId, messages, reader);
  }

  async #joinRoom(roomId: string, messages: Message[], reader: Reader): Promise<void> {
    try {
      const { room } = await this.requests.call("joinGroup", { group_id: roomId });
      this.update(room);
      for (const message of messages.sort((a, b) => a.seq - b.seq)) this.addMessage(message, reader);
    } catch (error) {
      const delayMs = retryAfterMs(error);
      if (delayMs !== null) {
        this.timers.after(
          delayMs,
          () => void this.#joinRoom(roomId, messages, reader),
          () => void this.#requested.delete(roomId),
        );
        return;
      }
      // Refused for good. The room appears once the list contains it.
    }
    this.#requested.delete(roomId);
  }

  #putView(view: Room): void {
    const known = this.#known.get(view.room_id);
    const count = this.#unreadCount(view.room_id);
    count.addView(view);
    this.#put({ ...(known === undefined ? view : merge(known, view)), unread_count: count.value });
  }

  #put(room: Room): void {
    this.#known.set(room.room_id, room);
    this.listener.roomChanged(room.room_id);
    if (this.#status === undefined || room.status === this.#status) this.#listed.add(room.room_id);
    else this.#listed.delete(room.room_id);
  }

  #changed(): void {
    this.#snapshot = null;
    this.listener.listChanged();
  }
}

/** Applies a system entry to its room. */
function withEvent(room: Room, { event }: Message): Room {
  switch (event?.name) {
    case "status_changed":
      return { ...room, status: event.to };
    case "translation_changed":
      return { ...room, translation: event.to };
    default:
      return room;
  }
}

/** Merges two views of a room, taking the newer value of each field. */
function merge(known: Room, other: Room): Room {
  const otherIsNewer = other.last_seq >= known.last_seq;
  const newer = otherIsNewer ? other : known;
  const older = otherIsNewer ? known : other;
  // A room in a list contains only the counterpart.
  const olderIsComplete = newer.member_count === older.member_count && older.members.length > newer.members.length;
  return {
    ...newer,
    members: olderIsComplete ? older.members : newer.members,
    last_message: newerPreview(known.last_message, other.last_message),
    last_read_seq: Math.max(known.last_read_seq, other.last_read_seq),
  };
}

function previewOf(entry: Message, readerLanguage: string | null): LastMessage {
  const { seq, message, language, sender, sent_at, translations } = entry;
  const translation = Object.values(translations).find((each) => languagesMatch(each.language, readerLanguage));
  return {
    seq,
    message,
    sender,
    sent_at,
    ...(language === null ? {} : { language }),
    ...(translation === undefined ? {} : { translation }),
  };
}

/** The later message. Of two views of the same message, the other one, with the newer version of the translation. */
function newerPreview(known: LastMessage | null, other: LastMessage | null): LastMessage | null {
  if (known === null || other === null) return known ?? other;
  if (other.seq !== known.seq) return other.seq > known.seq ? other : known;
  const { translation } = known;
  if (translation === undefined) return other;
  const isOutdated =
    other.translation !== undefined &&
    (other.translation.version >= translation.version || other.translation.language !== translation.language);
  return isOutdated ? other : { ...other, translation };
}
