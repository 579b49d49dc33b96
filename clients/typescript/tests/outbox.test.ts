import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { OutboxStorage } from "../src/index.js";
import { entry, FakeServer, type FakeSocket, token } from "./fake-server.js";

const ROOM = "consult:aiko:h";

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

class Storage implements OutboxStorage {
  readonly items = new Map<string, string>();
  get length() {
    return this.items.size;
  }
  key(index: number) {
    return [...this.items.keys()][index] ?? null;
  }
  getItem(key: string) {
    return this.items.get(key) ?? null;
  }
  setItem(key: string, value: string) {
    this.items.set(key, value);
  }
  removeItem(key: string) {
    this.items.delete(key);
  }
}

/** Makes the server append messages to a log, each `message_id` once. */
function numbering(server: FakeServer): string[] {
  const log: string[] = [];
  const ids: string[] = [];
  server.answers.sendMessage = ({ message_id: id, message, room_id: roomId }) => {
    const duplicate = ids.includes(id as string);
    if (!duplicate) {
      ids.push(id as string);
      log.push(message as string);
    }
    return { room_id: roomId, seq: ids.indexOf(id as string) + 1, message_id: id, sent_at: 1, duplicate };
  };
  return log;
}

describe("outbox", () => {
  it("orders messages within a room only", async () => {
    const server = new FakeServer();
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    const first = client.send(ROOM, "one");
    client.send(ROOM, "two");
    client.send("open:other", "elsewhere");
    await server.settle();
    expect(socket.received("sendMessage").map(({ message }) => message)).toEqual(["one", "elsewhere"]);
    expect(client.room(ROOM).outgoing.map(({ text, state }) => [text, state])).toEqual([
      ["one", "sending"],
      ["two", "queued"],
    ]);
    const asked = socket.received("sendMessage")[0]!;
    socket.reply(asked, { room_id: ROOM, seq: 1, message_id: asked.message_id, sent_at: 1, duplicate: false });
    await expect(first.sent).resolves.toMatchObject({ seq: 1 });
    await server.settle();
    expect(socket.received("sendMessage").map(({ message }) => message)).toEqual(["one", "elsewhere", "two"]);
    client.close();
  });

  it("repeats a message until it is acknowledged", async () => {
    const server = new FakeServer();
    const client = server.client();
    client.connect();
    let socket = await server.accept();
    const { sent } = client.send(ROOM, "one");
    await server.settle();
    for (let failure = 0; failure < 10; failure += 1) {
      if (failure % 2 === 0) {
        socket.cut();
        while (client.state !== "connecting") await vi.advanceTimersByTimeAsync(100);
        socket = await server.accept();
      } else {
        socket.refuse(socket.received("sendMessage").at(-1)!, { code: "internal" });
        await vi.advanceTimersByTimeAsync(14_000);
      }
    }
    const log = numbering(server);
    socket.cut();
    while (client.state !== "connecting") await vi.advanceTimersByTimeAsync(100);
    await server.accept();
    await vi.advanceTimersByTimeAsync(30_000);
    await expect(sent).resolves.toMatchObject({ seq: 1 });
    expect(log).toEqual(["one"]);
    const ids = server.sockets.flatMap((each) => each.received("sendMessage")).map(({ message_id: id }) => id);
    expect([new Set(ids).size, ids.length > 6]).toEqual([1, true]);
    client.close();
  });

  it("waits as long as the rate limit says", async () => {
    const server = new FakeServer();
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    client.send(ROOM, "one");
    client.send(ROOM, "two");
    await server.settle();
    socket.refuse(socket.received("sendMessage")[0]!, { code: "rate_limited", retry_after_ms: 2_000 });
    await vi.advanceTimersByTimeAsync(1_999);
    expect(socket.received("sendMessage")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(600);
    expect(socket.received("sendMessage").map(({ message }) => message)).toEqual(["one", "one"]);
    client.close();
  });

  it("does not let a refused message block others", async () => {
    const server = new FakeServer();
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    const refused = client.send(ROOM, "one");
    client.send(ROOM, "two");
    await server.settle();
    socket.refuse(socket.received("sendMessage")[0]!, { code: "room_closed" });
    await expect(refused.sent).rejects.toMatchObject({ refusal: { code: "room_closed" } });
    const room = client.room(ROOM);
    expect(room.outgoing.map(({ state, refusal }) => [state, refusal?.code])).toEqual([
      ["failed", "room_closed"],
      ["sending", undefined],
    ]);
    const log = numbering(server);
    socket.reply(socket.received("sendMessage")[1]!, {
      room_id: ROOM,
      seq: 1,
      message_id: "",
      sent_at: 1,
      duplicate: false,
    });
    room.retry(refused.outgoing.messageId);
    await server.settle();
    expect([log, room.outgoing]).toEqual([["one"], []]);
    client.close();
  });

  it.each([
    "bad_request",
    "unknown_action",
    "not_found",
    "not_a_member",
    "forbidden",
    "message_too_long",
    "message_id_taken",
    "conflict",
    "from_a_newer_server",
  ])("goes on at once after %s", async (code) => {
    const server = new FakeServer();
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    client.send(ROOM, "bad");
    client.send(ROOM, "good");
    await server.settle();
    socket.refuse(socket.received("sendMessage")[0]!, { code });
    await server.settle();
    expect(socket.received("sendMessage").map(({ message }) => message)).toEqual(["bad", "good"]);
    expect(client.outgoing.map(({ state }) => state)).toEqual(["failed", "sending"]);
    client.close();
  });

  /** A server that numbers all messages but the bad one, with which it does as told. */
  function failingOn(bad: (socket: FakeSocket, request: Record<string, unknown>) => void) {
    const server = new FakeServer();
    const log = numbering(server);
    const number = server.answers.sendMessage!;
    server.answers.sendMessage = (request) => {
      if (request.message !== "bad") return number(request);
      bad(server.last, request);
      return undefined;
    };
    return { server, log };
  }

  it.each([
    ["fails on", (socket: FakeSocket, request: object) => socket.refuse(request, { code: "internal" }), 60],
    ["does not answer", () => {}, 120],
    ["breaks down on", (socket: FakeSocket) => socket.push({ message: "Internal server error" }), 60],
    ["closes the connection for", (socket: FakeSocket) => socket.cut(1009), 60],
  ] as const)("sets a message aside that the server %s", async (_, bad, seconds) => {
    const { server, log } = failingOn(bad);
    const client = server.client();
    client.connect();
    await server.accept();
    const { sent, outgoing } = client.send(ROOM, "bad");
    client.send(ROOM, "good");
    for (let second = 0; second < seconds; second += 1) {
      await vi.advanceTimersByTimeAsync(1_000);
      await server.settle();
      if (client.state === "connecting") await server.accept();
    }
    expect([log, client.outgoing.map(({ state }) => state)]).toEqual([["good"], ["failed"]]);
    await expect(sent).rejects.toThrow("sendMessage");
    const attempts = server.sockets.flatMap((socket) => socket.received("sendMessage"));
    expect(attempts.filter(({ message }) => message === "bad").length).toBeGreaterThanOrEqual(3);
    numbering(server);
    client.room(ROOM).retry(outgoing.messageId);
    await server.settle();
    expect(client.outgoing).toEqual([]);
    client.close();
  });

  it.each([
    ["being sent", () => {}],
    ["rate limited", (socket: FakeSocket, request: object) => socket.refuse(request, { code: "rate_limited" })],
    ["repeated", (socket: FakeSocket, request: object) => socket.refuse(request, { code: "internal" })],
    ["refused", (socket: FakeSocket, request: object) => socket.refuse(request, { code: "forbidden" })],
  ] as const)("discards a message that is %s", async (_, bad) => {
    const { server, log } = failingOn(bad);
    const client = server.client({ outbox: new Storage() });
    client.connect();
    await server.accept();
    const { outgoing } = client.send(ROOM, "bad");
    client.send(ROOM, "good");
    await server.settle();
    client.room(ROOM).discard(outgoing.messageId);
    await server.settle();
    expect([log, client.room(ROOM).outgoing]).toEqual([["good"], []]);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(server.last.received("sendMessage").filter(({ message }) => message === "bad")).toHaveLength(1);
    client.close();
  });

  it("discards what an earlier page left, sent or not", async () => {
    const storage = new Storage();
    const before = new FakeServer();
    const earlier = before.client({ outbox: storage });
    earlier.connect();
    const socket = await before.accept();
    for (const text of ["refused", "being sent", "queued"]) earlier.send(ROOM, text);
    await before.settle();
    socket.refuse(socket.received("sendMessage")[0]!, { code: "forbidden" });
    await before.settle();
    // Only the token is needed to find them, not a connection.
    const client = new FakeServer().client({ outbox: storage });
    client.connect();
    await before.settle();
    const room = client.room(ROOM);
    expect(room.outgoing.map(({ text, state }) => [text, state])).toEqual([
      ["refused", "failed"],
      ["being sent", "sending"],
      ["queued", "queued"],
    ]);
    for (const { messageId } of room.outgoing) room.discard(messageId);
    expect([room.outgoing, storage.length]).toEqual([[], 0]);
    for (const each of [earlier, client]) each.close();
  });

  it("adds a discarded message that has arrived", async () => {
    const server = new FakeServer();
    const stored: unknown[] = [];
    server.answers.getChatHistory = () => ({ room_id: ROOM, messages: stored, has_more: false });
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    const room = client.room(ROOM);
    await room.open();
    const { outgoing } = client.send(ROOM, "too late");
    await server.settle();
    room.discard(outgoing.messageId);
    stored.push(entry(ROOM, 1, { message_id: outgoing.messageId, message: "too late" }));
    const request = socket.received("sendMessage")[0]!;
    socket.reply(request, { room_id: ROOM, seq: 1, message_id: outgoing.messageId, sent_at: 1, duplicate: false });
    await server.settle();
    expect([room.messages.map(({ message }) => message), room.outgoing]).toEqual([["too late"], []]);
    client.close();
  });

  it("rejects the promise of a discarded message", async () => {
    const client = new FakeServer().client();
    const { outgoing, sent } = client.send(ROOM, "never mind");
    client.room(ROOM).discard(outgoing.messageId);
    await expect(sent).rejects.toThrow("discarded");
    expect(client.room(ROOM).outgoing).toEqual([]);
  });

  it("never sends or repeats a discarded message", async () => {
    const server = new FakeServer();
    const client = server.client();
    client.connect();
    const first = await server.accept();
    const onItsWay = client.send(ROOM, "on its way").outgoing;
    await server.settle();
    expect(first.received("sendMessage")).toHaveLength(1);
    client.room(ROOM).discard(onItsWay.messageId);
    first.cut();
    await server.settle();
    const waiting = client.send(ROOM, "never mind").outgoing;
    client.send(ROOM, "this one");
    client.room(ROOM).discard(waiting.messageId);
    const log = numbering(server);
    await vi.advanceTimersByTimeAsync(250);
    await server.accept();
    expect(log).toEqual(["this one"]);
    client.close();
  });

  it("sends stored messages after a reload", async () => {
    const storage = new Storage();
    const before = new FakeServer();
    const first = before.client({ outbox: storage });
    first.connect();
    await before.accept();
    for (const text of ["one", "two", "three"]) first.send(ROOM, text);
    await before.settle();
    // The page is closed without closing the client.
    const server = new FakeServer();
    const log = numbering(server);
    const second = server.client({ outbox: storage });
    second.connect();
    await server.accept();
    expect(log).toEqual(["one", "two", "three"]);
    expect(storage.length).toBe(0);
    first.close();
    second.close();
  });

  it("works without listing storage keys", async () => {
    const storage = new Storage();
    const narrow: OutboxStorage = {
      getItem: (key) => storage.getItem(key),
      setItem: (key, value) => storage.setItem(key, value),
      removeItem: (key) => storage.removeItem(key),
    };
    const before = new FakeServer();
    const first = before.client({ outbox: narrow });
    first.connect();
    await before.accept();
    for (const text of ["one", "two"]) first.send(ROOM, text);
    const server = new FakeServer();
    const log = numbering(server);
    const second = server.client({ outbox: narrow });
    second.connect();
    await server.accept();
    expect([log, storage.length]).toEqual([["one", "two"], 0]);
    first.close();
    second.close();
  });

  it("writes nothing to a cleared storage", async () => {
    const storage = new Storage();
    const server = new FakeServer();
    const client = server.client({ outbox: storage });
    client.connect();
    const socket = await server.accept();
    client.send(ROOM, "refused");
    await server.settle();
    socket.refuse(socket.received("sendMessage")[0]!, { code: "room_closed" });
    await server.settle();
    expect([...storage.items.values()].map((item) => JSON.parse(item).state)).toEqual(["failed"]);
    for (const text of ["one", "two"]) client.send(ROOM, text);
    await server.settle();
    expect(client.outgoing.map(({ state }) => state)).toEqual(["failed", "sending", "queued"]);
    storage.items.clear();
    client.close();
    expect(storage.length).toBe(0);
  });

  it("shares a storage between tabs", async () => {
    const storage = new Storage();
    const dead = new FakeServer();
    const tabs = [dead.client({ outbox: storage }), dead.client({ outbox: storage })];
    for (const tab of tabs) {
      tab.connect();
      await dead.accept();
    }
    for (let round = 0; round < 3; round += 1)
      for (const [who, tab] of tabs.entries()) tab.send(ROOM, `${who}${round}`);
    const server = new FakeServer();
    const log = numbering(server);
    const successors = [server.client({ outbox: storage }), server.client({ outbox: storage })];
    for (const tab of successors) {
      tab.connect();
      await server.accept();
    }
    expect([...log].sort()).toEqual(["00", "01", "02", "10", "11", "12"]);
    expect(log.filter((text) => text.startsWith("1"))).toEqual(["10", "11", "12"]);
    expect(storage.length).toBe(0);
    for (const tab of [...tabs, ...successors]) tab.close();
  });

  it("adopts messages of a closed tab", async () => {
    const storage = new Storage();
    const server = new FakeServer();
    const log = numbering(server);
    const staying = server.client({ outbox: storage });
    staying.connect();
    const socket = await server.accept();
    const leaving = new FakeServer();
    const gone = leaving.client({ outbox: storage });
    gone.connect();
    await leaving.accept();
    gone.send(ROOM, "left behind");
    gone.close();
    socket.cut();
    await vi.advanceTimersByTimeAsync(250);
    await server.accept();
    expect([log, storage.length]).toEqual([["left behind"], 0]);
    staying.close();
  });

  it("never sends another user's messages", async () => {
    const storage = new Storage();
    const before = new FakeServer();
    const aiko = before.client({ outbox: storage });
    aiko.connect();
    await before.accept();
    aiko.send(ROOM, "mine");
    const server = new FakeServer();
    const log = numbering(server);
    const other = server.client({ outbox: storage, token: () => token({ sub: "yuki" }) });
    other.connect();
    await server.accept();
    expect([log, storage.length]).toEqual([[], 1]);
    aiko.close();
    other.close();
  });

  const refuse = () => {
    throw new Error("SecurityError");
  };
  it.each([
    ["full", { length: 0, key: refuse, getItem: refuse, setItem: refuse, removeItem: refuse }],
    ["unreadable", Object.defineProperty(new Storage(), "length", { get: refuse })],
    ["forbidden", refuse],
  ])("works with a storage that is %s", async (_, outbox) => {
    const server = new FakeServer();
    const log = numbering(server);
    const client = server.client({ outbox });
    client.connect();
    await server.accept();
    await client.send(ROOM, "one").sent;
    expect(log).toEqual(["one"]);
    client.close();
  });
});
