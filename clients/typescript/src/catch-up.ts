import type { Alarms } from "./alarms.js";
import type { Timing } from "./api.js";
import { between } from "./backoff.js";
import type { Link } from "./link.js";
import type { Requests } from "./requests.js";
import type { OpenableLog } from "./room-log.js";

/** As many rooms as one `sync` takes. */
const ROOMS = 50;
/** What is this old should have been pushed long ago. */
const OVERDUE = 30_000;

/** Brings the open rooms and the room list up to date, after a connection began and with every heartbeat. */
export class CatchUp {
  #cancelBeat = () => {};
  #link: Link | null = null;
  /** Something was missed, and is not made good for yet. */
  #missed = false;

  constructor(
    private readonly requests: Requests,
    private readonly open: () => OpenableLog[],
    private readonly timing: Timing,
    private readonly random: () => number,
    private readonly alarms: Alarms,
    /** Reads the room list again: no number tells that something of it was missed. */
    private readonly list: () => Promise<void>,
    /** The connection seems to be told nothing any more. */
    private readonly deaf: () => void,
  ) {}

  /** A new connection: it hears the open rooms before what is newer is asked for, so that nothing passes in between. */
  async resume(link: Link, away: boolean): Promise<void> {
    this.#missed ||= away;
    this.#link = link;
    this.#beatLater();
    const rooms = this.open();
    const list = this.list().catch(() => {});
    await Promise.allSettled(rooms.map((room) => this.#join(room, link)));
    if (rooms.length > 0) await this.#sync(link);
    await list;
    if (!this.#missed) return;
    await Promise.all(rooms.map((room) => room.missing.refresh()));
    if (link.isOpen) this.#missed = false;
  }

  /** The heartbeat; also a way to find out whether the connection still lives. */
  async beat(): Promise<void> {
    const link = this.#link;
    this.#beatLater();
    if (link === null || !link.isOpen) return;
    try {
      if (await this.#sync(link)) {
        this.#missed = true;
        this.deaf();
      }
      await Promise.all([this.list(), ...this.open().map((room) => room.missing.look())]);
    } catch {
      // The connection is gone, and its successor catches up.
    }
  }

  stop(): void {
    this.#cancelBeat();
  }

  #beatLater(): void {
    this.#cancelBeat();
    const wait = between(this.timing.heartbeatFrom, this.timing.heartbeatTo, this.random);
    this.#cancelBeat = this.alarms.after(wait, () => void this.beat());
  }

  async #join(room: OpenableLog, link: Link): Promise<void> {
    const reply = await this.requests.call("joinGroup", { group_id: room.roomId }, link);
    room.joined(reply.room);
  }

  /** Gives back whether something came that should have been pushed long before. Asked about no room, it still is a heartbeat. */
  async #sync(link: Link): Promise<boolean> {
    const rooms = this.open().filter((room) => room.log.loaded);
    let late = false;
    for (let start = 0; start === 0 || start < rooms.length; start += ROOMS) {
      const some = rooms.slice(start, start + ROOMS);
      const marks = Object.fromEntries(some.map((room) => [room.roomId, room.log.upTo]));
      const reply = await this.requests.call("sync", { rooms: marks }, link);
      for (const newer of reply.rooms) {
        const room = some.find(({ roomId }) => roomId === newer.room_id);
        if (room === undefined) continue;
        late ||= newer.messages.some(({ seq, sent_at: at }) => seq > room.log.upTo && at < Date.now() - OVERDUE);
        room.take(newer.messages);
        room.hearOf(newer.last_seq);
        if (!newer.complete) void room.repair.chase();
      }
    }
    return late;
  }
}
