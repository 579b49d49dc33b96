import type { Alarms } from "./alarms.js";
import type { Outgoing, RoomList } from "./api.js";
import { retryAfter } from "./errors.js";
import type { Message, Replies, Room, RoomStatus, Sender } from "./protocol.js";
import type { Requests } from "./requests.js";

const PAGE = 30;
const LARGEST_PAGE = 100;

export interface RoomsListener {
  listChanged(): void;
  roomChanged(roomId: string): void;
}

/** All rooms that are known, and the list of them that is shown: latest first, of one status or of all. */
export class Rooms implements RoomList {
  readonly #known = new Map<string, Room>();
  readonly #listed = new Set<string>();
  /** Rooms that are being asked for, and what was said in them meanwhile: the view may be from before that. */
  readonly #asked = new Map<string, Message[]>();
  #snapshot: readonly Room[] | null = [];
  #status: RoomStatus | undefined;
  #cursor: string | undefined;
  #shown = false;
  #loading = 0;
  /** A page that was asked for before another `show` is not wanted any more. */
  #era = 0;

  constructor(private readonly requests: Requests, private readonly alarms: Alarms, private readonly listener: RoomsListener) {}

  get rooms(): readonly Room[] {
    return (this.#snapshot ??= [...this.#listed]
      .flatMap((roomId) => this.#known.get(roomId) ?? [])
      .sort((a, b) => b.updated_at - a.updated_at || (a.room_id < b.room_id ? -1 : 1)));
  }

  get hasMore(): boolean {
    return this.#cursor !== undefined;
  }

  get loading(): boolean {
    return this.#loading > 0;
  }

  get(roomId: string): Room | null {
    return this.#known.get(roomId) ?? null;
  }

  async show(status?: RoomStatus): Promise<void> {
    this.#era += 1;
    if (status !== this.#status) this.#listed.clear();
    this.#status = status;
    this.#cursor = undefined;
    this.#shown = true;
    await this.#load({ limit: PAGE });
  }

  async loadMore(): Promise<void> {
    if (this.#cursor !== undefined && !this.loading) await this.#load({ limit: PAGE, cursor: this.#cursor });
  }

  /** Reads again what is shown, as far as one page reaches, because changes were missed. */
  async refresh(): Promise<void> {
    if (!this.#shown) return;
    const cursor = this.#cursor;
    await this.#load({ limit: Math.min(LARGEST_PAGE, Math.max(PAGE, this.#listed.size)) });
    // What was loaded by further pages still is.
    if (cursor !== undefined && this.#listed.size > LARGEST_PAGE) this.#cursor = cursor;
  }

  /** Takes in a view of a room; the views of one room may come in any order. */
  take(room: Room): void {
    this.#put(room);
    this.#tell();
  }

  takeMessage(message: Message, own: string | null): void {
    const { room_id: roomId, seq, kind, sender, sent_at: sentAt } = message;
    const known = this.#known.get(roomId);
    if (known === undefined) return this.#ask(message, own);
    if (seq <= known.last_seq) return;
    const room = changedBy(message, known);
    const isText = kind === "text";
    this.#put({
      ...room,
      last_seq: seq,
      updated_at: Math.max(room.updated_at, sentAt),
      last_message: isText ? { seq, message: message.message, sender, sent_at: sentAt } : room.last_message,
      unread_count: room.unread_count + (isText && sender.participant !== own && seq > room.last_read_seq ? 1 : 0),
    });
    this.#tell();
  }

  /** A message of the caller's own, of which no event comes. */
  sent({ roomId, text }: Outgoing, { seq, sent_at: sentAt }: Replies["sendMessage"], own: Sender | null): void {
    const room = this.#known.get(roomId);
    if (room === undefined || seq <= room.last_seq) return;
    const last_message = own === null ? room.last_message : { seq, message: text, sender: own, sent_at: sentAt };
    this.#put({ ...room, last_seq: seq, updated_at: Math.max(room.updated_at, sentAt), last_message });
    this.#tell();
  }

  /** The caller has read so far, perhaps on another device; `unread` is null where nobody said how many are left. */
  marked(roomId: string, seq: number, unread: number | null): void {
    const room = this.#known.get(roomId);
    if (room === undefined || seq < room.last_read_seq) return;
    const left = seq >= room.last_seq ? 0 : (unread ?? Math.min(room.unread_count, room.last_seq - seq));
    this.#known.set(roomId, { ...room, last_read_seq: seq, unread_count: left });
    this.listener.roomChanged(roomId);
    this.#tell();
  }

  async #load(page: { limit: number; cursor?: string }): Promise<void> {
    const era = this.#era;
    // Of one status, what the first page does not show any more has another by now.
    const doubted = page.cursor === undefined && this.#status !== undefined ? [...this.#listed] : [];
    this.#loading += 1;
    this.#tell();
    try {
      const fields = this.#status === undefined ? page : { ...page, status: this.#status };
      const reply = await this.requests.call("getRoomList", fields);
      if (era !== this.#era) return;
      for (const roomId of doubted) this.#listed.delete(roomId);
      for (const room of reply.rooms) this.#put(room);
      this.#cursor = reply.next_cursor;
    } finally {
      this.#loading -= 1;
      this.#tell();
    }
  }

  /** A room that was not loaded speaks up: it is asked for by itself, because the list may be a minute behind. */
  #ask(message: Message, own: string | null): void {
    if (!this.#shown) return;
    const { room_id: roomId } = message;
    const meanwhile = this.#asked.get(roomId);
    if (meanwhile !== undefined) return void meanwhile.push(message);
    const said = [message];
    this.#asked.set(roomId, said);
    void this.#join(roomId, said, own);
  }

  async #join(roomId: string, said: Message[], own: string | null): Promise<void> {
    try {
      const { room } = await this.requests.call("joinGroup", { group_id: roomId });
      this.take(room);
      for (const one of said.sort((a, b) => a.seq - b.seq)) this.takeMessage(one, own);
    } catch (error) {
      const wait = retryAfter(error);
      // Refused for good, it comes with the list once that has it.
      if (wait !== null) return void this.alarms.after(wait, () => void this.#join(roomId, said, own), () => this.#asked.delete(roomId));
    }
    this.#asked.delete(roomId);
  }

  #put(room: Room): void {
    const known = this.#known.get(room.room_id);
    const newest = known === undefined ? room : latest(known, room);
    this.#known.set(room.room_id, newest);
    this.listener.roomChanged(room.room_id);
    if (this.#status === undefined || newest.status === this.#status) this.#listed.add(room.room_id);
    else this.#listed.delete(room.room_id);
  }

  #tell(): void {
    this.#snapshot = null;
    this.listener.listChanged();
  }
}

/** What an entry of its log makes of a room. */
function changedBy({ event }: Message, room: Room): Room {
  switch (event?.name) {
    case "status_changed":
      return { ...room, status: event.to };
    case "translation_changed":
      return { ...room, translation: event.to };
    default:
      return room;
  }
}

/** Of two views of one room what is newer of each. */
function latest(known: Room, other: Room): Room {
  const [newer, older] = other.last_seq >= known.last_seq ? [other, known] : [known, other];
  // A list shows the counterpart only.
  const full = newer.member_count === older.member_count && older.members.length > newer.members.length;
  const room = full ? { ...newer, members: older.members } : newer;
  if (older.last_read_seq <= newer.last_read_seq) return room;
  const unread = older.last_read_seq >= newer.last_seq ? 0 : Math.min(newer.unread_count, newer.last_seq - older.last_read_seq);
  return { ...room, last_read_seq: older.last_read_seq, unread_count: unread };
}
