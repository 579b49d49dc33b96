import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { entry, FakeServer, roomView } from "./fake-server.js";
import { SeededRandom } from "./seeded-random.js";

const ROOM = "consult:aiko:h";
const ME = { participant: "user:aiko", user_id: "aiko" };
type Entry = ReturnType<typeof entry>;

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

/** A server that loses, duplicates, delays and reorders replies and pushes, until it is `calm`. */
class UnreliableServer extends FakeServer {
  readonly log: Entry[] = [];
  calm = false;

  constructor(private readonly random: SeededRandom) {
    super();
    this.answers = {
      joinGroup: () => ({ room: roomView(ROOM, this.log.length) }),
      sync: ({ rooms }) => ({ rooms: [this.#newer((rooms as Record<string, number>)[ROOM] ?? 0)] }),
      getChatHistory: (asked) => this.#page(asked),
      sendMessage: ({ message_id: id, message }) => {
        const known = this.log.find((each) => each.message_id === id);
        const stored = known ?? this.append({ message_id: id, message, sender: ME, language: "ja" });
        return {
          room_id: ROOM,
          seq: stored.seq,
          message_id: id,
          sent_at: stored.sent_at,
          duplicate: known !== undefined,
        };
      },
    };
    for (const [action, answer] of Object.entries(this.answers)) {
      this.answers[action] = (request) => {
        // The request is lost, or its reply is, or the reply is late.
        if (this.#fails(8)) return undefined;
        const body = answer(request);
        if (body === undefined || this.#fails(8)) return undefined;
        const socket = this.sockets.find((each) => each.sent.includes(request as never));
        setTimeout(
          () => socket?.closed === false && socket.reply(request, body),
          this.calm ? 0 : this.random.below(5_000),
        );
        return undefined;
      };
    }
  }

  append(more: Record<string, unknown>): Entry {
    const appended = entry(ROOM, this.log.length + 1, { sent_at: Date.now(), ...more });
    this.log.push(appended);
    // The sender's connection normally gets no event. Sometimes it does, as after a reconnect.
    if (more.sender === undefined || this.random.below(4) === 0) this.push({ type: "message", ...appended });
    return appended;
  }

  push(frame: Record<string, unknown>): void {
    const times = this.#fails(5) ? 0 : 1 + (this.#fails(5) ? 1 : 0);
    for (let time = 0; time < times; time += 1) {
      const socket = this.sockets.at(-1);
      setTimeout(() => socket?.closed === false && socket.push(frame), this.calm ? 0 : this.random.below(3_000));
    }
  }

  #fails(oneIn: number): boolean {
    return !this.calm && this.random.below(oneIn) === 0;
  }

  #newer(mark: number) {
    const newer = this.log.slice(mark, mark + 4);
    return {
      room_id: ROOM,
      last_seq: this.log.length,
      messages: newer,
      complete: mark + newer.length === this.log.length,
    };
  }

  #page({ after_seq: after, before_seq: before, limit = 5 }: Record<string, number>) {
    const there = this.log.filter(({ seq }) => seq > (after ?? 0) && seq < (before ?? Infinity));
    const size = Math.min(limit, 5);
    const messages = after === undefined ? there.slice(-size) : there.slice(0, size);
    return { room_id: ROOM, messages, has_more: messages.length < there.length };
  }
}

async function run(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const server = new UnreliableServer(random);
  for (let there = random.below(12) + 1; there > 0; there -= 1) server.append({});
  const client = server.client({ random: () => random.next() });
  const heard: number[] = [];
  client.on("message", ({ seq }) => heard.push(seq));
  const accept = async () => {
    await server.settle();
    if (client.state === "connecting") server.last.onopen?.();
  };
  client.connect();
  await accept();
  const room = client.room(ROOM);
  // A request is given up after six attempts. A user would then open the room again.
  const open = (): Promise<void> => room.open().catch(open);
  const opened = open();
  const sent: string[] = [];
  // A message is set aside after a few attempts. A user would then send it again, after those that were written later.
  const setAside = new Set<string>();
  client.on("room", () => {
    for (const { messageId, state } of room.outgoing) {
      if (state !== "failed") continue;
      setAside.add(messageId);
      room.retry(messageId);
    }
  });
  client.setVisible(random.below(2) === 0);
  for (let step = 0; step < 40; step += 1) {
    const what = random.below(10);
    if (what < 4) server.append({});
    else if (what < 7) {
      sent.push(client.send(ROOM, `line ${sent.length}`).outgoing.messageId);
    } else if (what === 7) server.sockets.at(-1)?.cut();
    else if (what === 8) server.last.push({ message: "Internal server error", connectionId: "c" });
    await vi.advanceTimersByTimeAsync(random.below(4_000));
    await accept();
    const there = room.messages.map(({ seq }) => seq);
    expect(there, `seed ${seed}: no gap`).toEqual(there.map((_, index) => there[0]! + index));
    const ids = new Set(room.messages.map(({ message_id: id }) => id));
    expect(
      room.outgoing.filter(({ messageId }) => ids.has(messageId)),
      `seed ${seed}: no duplicates`,
    ).toEqual([]);
  }
  server.calm = true;
  for (let minute = 0; minute < 30; minute += 1) {
    await vi.advanceTimersByTimeAsync(60_000);
    await accept();
  }
  await opened;
  const own = server.log.map(({ message_id: id }) => id).filter((id) => sent.includes(id));
  expect([...own].sort(), `seed ${seed}: each sent once`).toEqual([...sent].sort());
  const inOrder = (ids: string[]) => ids.filter((id) => !setAside.has(id));
  expect(inOrder(own), `seed ${seed}: sent in order`).toEqual(inOrder(sent));
  while (room.hasOlder) await Promise.all([room.loadOlder(), vi.advanceTimersByTimeAsync(100)]);
  expect(room.messages, `seed ${seed}`).toEqual(server.log);
  expect(room.outgoing, `seed ${seed}`).toEqual([]);
  expect(heard, `seed ${seed}: each once and in order`).toEqual(
    server.log.map(({ seq }) => seq).filter((seq) => seq >= (heard[0] ?? Infinity)),
  );
  client.close();
}

it("converges on the log despite random faults", {
  timeout: 300_000,
}, async () => {
  for (let seed = 1; seed <= 60; seed += 1) await run(seed);
});
