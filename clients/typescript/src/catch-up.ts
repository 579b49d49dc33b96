import type { Timing } from "./api.js";
import { randomBetween } from "./backoff.js";
import type { Requests } from "./requests.js";
import type { LiveRoomLog } from "./room-log.js";
import type { Socket } from "./socket.js";
import type { Timers } from "./timers.js";

/** The most rooms that one `sync` accepts. */
const ROOMS_PER_SYNC = 50;
/** An entry this old should have been pushed long ago. */
const OVERDUE_MS = 15_000;

/** Brings the open rooms and the room list up to date when a connection opens and with every heartbeat. */
export class CatchUp {
  /** The language that the caller has chosen. Every connection is told, because the server may remember it for one. */
  language: string | null = null;
  #cancelHeartbeat = () => {};
  #socket: Socket | null = null;
  /** Updates were missed that have not been made up for yet. */
  #missedUpdates = false;

  constructor(
    private readonly requests: Requests,
    private readonly openRooms: () => LiveRoomLog[],
    private readonly timing: Timing,
    private readonly random: () => number,
    private readonly timers: Timers,
    /** Reads the room list again. The list has no sequence number that would reveal a missed update. */
    private readonly refreshRoomList: () => Promise<void>,
    /** Called when the connection seems to receive no pushes any more. */
    private readonly onStale: () => void,
  ) {}

  /** Joins the open rooms on a new connection before asking for newer entries, so that nothing is missed in between. */
  async resume(socket: Socket, wasOffline: boolean): Promise<void> {
    this.#missedUpdates ||= wasOffline;
    this.#socket = socket;
    this.#scheduleHeartbeat();
    if (this.language !== null) {
      const { language } = this;
      await this.requests.call("setLanguage", { language }, { boundTo: socket }).catch(() => {});
    }
    const rooms = this.openRooms();
    const listRefreshed = this.refreshRoomList().catch(() => {});
    await Promise.allSettled(rooms.map((room) => this.#join(room, socket)));
    if (rooms.length > 0) await this.#sync(socket);
    await listRefreshed;
    if (!this.#missedUpdates) return;
    await Promise.all(rooms.map((room) => room.missingTranslations.refresh()));
    if (socket.isOpen) this.#missedUpdates = false;
  }

  /** Keeps the connection alive, and reveals a dead one. */
  async heartbeat(): Promise<void> {
    const socket = this.#socket;
    this.#scheduleHeartbeat();
    if (socket === null || !socket.isOpen) return;
    try {
      await this.probe(socket, Number.POSITIVE_INFINITY);
      await Promise.all([this.refreshRoomList(), ...this.openRooms().map((room) => room.missingTranslations.check())]);
    } catch {
      // The connection is gone; its successor catches up.
    }
  }

  /** Asks for newer entries of the open rooms, unless told otherwise of as many as fit into one request. */
  async probe(socket: Socket, maxRooms = ROOMS_PER_SYNC): Promise<void> {
    if (!(await this.#sync(socket, maxRooms))) return;
    this.#missedUpdates = true;
    this.onStale();
  }

  /** Opens the rooms anew, and reads again what depends on the language of the caller. */
  async reread(): Promise<void> {
    const socket = this.#socket;
    if (socket === null || !socket.isOpen) return;
    const rooms = this.openRooms();
    await Promise.allSettled(rooms.map((room) => this.#join(room, socket)));
    await Promise.allSettled([this.refreshRoomList(), ...rooms.map((room) => room.missingTranslations.refresh())]);
  }

  stop(): void {
    this.#cancelHeartbeat();
  }

  #scheduleHeartbeat(): void {
    this.#cancelHeartbeat();
    const { minHeartbeatIntervalMs, maxHeartbeatIntervalMs } = this.timing;
    const delayMs = randomBetween(minHeartbeatIntervalMs, maxHeartbeatIntervalMs, this.random);
    this.#cancelHeartbeat = this.timers.after(delayMs, () => void this.heartbeat());
  }

  async #join(room: LiveRoomLog, socket: Socket): Promise<void> {
    const reply = await this.requests.call("joinGroup", { group_id: room.roomId }, { boundTo: socket });
    room.joined(reply.room);
  }

  /**
   * Returns whether it delivered anything that should have been pushed long before. It is sent even without open rooms,
   * because it is also the heartbeat.
   */
  async #sync(socket: Socket, maxRooms = Number.POSITIVE_INFINITY): Promise<boolean> {
    const loaded = this.openRooms().filter((room) => room.log.loaded);
    const rooms = loaded.slice(0, maxRooms);
    let overdue = false;
    for (let start = 0; start === 0 || start < rooms.length; start += ROOMS_PER_SYNC) {
      const batch = rooms.slice(start, start + ROOMS_PER_SYNC);
      const lastSeqs = Object.fromEntries(batch.map((room) => [room.roomId, room.log.lastSeq]));
      const options = { boundTo: socket, replyTimeoutMs: this.timing.probeTimeoutMs };
      const reply = await this.requests.call("sync", { rooms: lastSeqs }, options);
      for (const newer of reply.rooms) {
        const room = batch.find(({ roomId }) => roomId === newer.room_id);
        if (room === undefined) continue;
        const overdueSince = Date.now() - OVERDUE_MS;
        overdue ||= newer.messages.some(({ seq, sent_at: at }) => seq > room.log.lastSeq && at < overdueSince);
        room.add(newer.messages);
        room.expectUpTo(newer.last_seq);
        if (!newer.complete) void room.gapRepair.fetchNewer();
      }
    }
    return overdue;
  }
}
