import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { entry, FakeServer, type FakeSocket, roomView, token } from "./fake-server.js";

const ROOM = "consult:aiko:h";
const ME = { participant: "user:aiko", user_id: "aiko", name: "愛子" };

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

/** A server with this log, and a client that has opened its room. */
async function opened(log: ReturnType<typeof entry>[]) {
  const server = new FakeServer();
  server.answers.getChatHistory = ({ after_seq: after, before_seq: before, limit = 30 }) => {
    const there = log.filter(({ seq }) => seq > (after ?? 0) && seq < (before ?? Infinity));
    const messages = after === undefined ? there.slice(-limit) : there.slice(0, limit);
    return { room_id: ROOM, messages, has_more: messages.length < there.length };
  };
  server.answers.sync = ({ rooms }) => ({
    rooms: Object.entries(rooms as Record<string, number>).map(([room_id, mark]) => ({
      room_id,
      last_seq: log.length,
      messages: log.filter(({ seq }) => seq > mark),
      complete: true,
    })),
  });
  server.answers.joinGroup = () => ({ room: roomView(ROOM, log.length) });
  const client = server.client();
  client.connect();
  const socket = await server.accept();
  const room = client.room(ROOM);
  await room.open();
  const heard: number[] = [];
  client.on("message", ({ seq }) => heard.push(seq));
  const seqs = () => room.messages.map(({ seq }) => seq);
  return { server, client, socket, room, heard, seqs };
}

async function reconnect(server: FakeServer, socket: FakeSocket): Promise<FakeSocket> {
  socket.cut();
  await vi.advanceTimersByTimeAsync(250);
  return server.accept();
}

describe("open room", () => {
  it("requests a gap once it is old enough", async () => {
    const log = [entry(ROOM, 1)];
    const { client, socket, heard, seqs } = await opened(log);
    log.push(entry(ROOM, 2), entry(ROOM, 3));
    const asked = socket.received("getChatHistory").length;
    socket.push({ type: "message", ...entry(ROOM, 3) });
    await vi.advanceTimersByTimeAsync(2_999);
    expect([socket.received("getChatHistory").length, heard]).toEqual([asked, []]);
    await vi.advanceTimersByTimeAsync(2);
    expect(socket.received("getChatHistory").at(-1)).toMatchObject({ after_seq: 1 });
    expect([heard, seqs()]).toEqual([
      [2, 3],
      [1, 2, 3],
    ]);
    client.close();
  });

  it("backs off while a gap persists", async () => {
    const log = [entry(ROOM, 1)];
    const { client, socket, heard } = await opened(log);
    const before = socket.received("getChatHistory").length;
    socket.push({ type: "message", ...entry(ROOM, 3) });
    await vi.advanceTimersByTimeAsync(60_000);
    const asked = socket.received("getChatHistory").length - before;
    expect([asked > 2, asked < 6]).toEqual([true, true]);
    log.push(entry(ROOM, 2), entry(ROOM, 3));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(heard).toEqual([2, 3]);
    client.close();
  });

  it("reports only entries that arrive while open", async () => {
    const log = [entry(ROOM, 1), entry(ROOM, 2)];
    const server = new FakeServer();
    server.answers.getChatHistory = () => ({ room_id: ROOM, messages: [...log], has_more: false });
    const client = server.client();
    const heard: number[] = [];
    client.on("message", ({ seq }) => heard.push(seq));
    client.connect();
    const socket = await server.accept();
    const room = client.room(ROOM);
    await room.open();
    socket.push({ type: "message", ...entry(ROOM, 3) });
    log.push(entry(ROOM, 3));
    room.leave();
    socket.push({ type: "message", ...entry(ROOM, 4) });
    log.push(entry(ROOM, 4));
    await room.open();
    socket.push({ type: "message", ...entry(ROOM, 5) });
    expect([heard, room.messages.length]).toEqual([[3, 5], 5]);
    client.close();
  });

  it("requests nothing if the gap closes", async () => {
    const { client, socket, heard } = await opened([entry(ROOM, 1)]);
    const asked = socket.received("getChatHistory").length;
    socket.push({ type: "message", ...entry(ROOM, 3) });
    socket.push({ type: "message", ...entry(ROOM, 2) });
    await vi.advanceTimersByTimeAsync(10_000);
    expect([socket.received("getChatHistory").length, heard]).toEqual([asked, [2, 3]]);
    client.close();
  });

  it("catches up after a reconnect", async () => {
    const log = [entry(ROOM, 1)];
    const { server, client, socket, heard } = await opened(log);
    log.push(...Array.from({ length: 5 }, (_, index) => entry(ROOM, index + 2)));
    const fresh = await reconnect(server, socket);
    expect(fresh.received("joinGroup")).toEqual([expect.objectContaining({ group_id: ROOM })]);
    expect(heard).toEqual([2, 3, 4, 5, 6]);
    client.close();
  });

  it("catches up on translations after a reconnect", async () => {
    const log = Array.from({ length: 60 }, (_, index) => entry(ROOM, index + 1));
    const { server, client, socket, room } = await opened(log);
    await room.loadOlder(100);
    const translation = (text: string, at: number) => ({
      ja: { language: "ja", text, source: "deepl", status: "ok", version: at, at },
    });
    log[58]!.translations = translation("翻訳", 1);
    log[2]!.translations = translation("訂正", 61);
    log.push(
      entry(ROOM, 61, {
        kind: "system",
        message: "",
        event: { name: "translation_corrected", seq: 3, language: "ja" },
      }),
    );
    await reconnect(server, socket);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(room.messages[58]!.translations.ja?.text).toBe("翻訳");
    expect(room.messages[2]!.translations.ja?.text).toBe("訂正");
    client.close();
  });

  it("moves own messages into the log once", async () => {
    const log = [entry(ROOM, 1)];
    const { server, client, socket, room, heard } = await opened(log);
    const say = async (text: string, seq: number) => {
      const { outgoing } = client.send(ROOM, text);
      await server.settle();
      const own = entry(ROOM, seq, { message_id: outgoing.messageId, message: text, sender: ME, language: "ja" });
      log.push(own);
      const request = socket.received("sendMessage").at(-1)!;
      socket.reply(request, { room_id: ROOM, seq, message_id: outgoing.messageId, sent_at: seq, duplicate: false });
      return own;
    };
    const reads = () => socket.received("getChatHistory").length;
    const before = reads();
    const first = await say("one", 2);
    expect(room.outgoing.map(({ text }) => text)).toEqual(["one"]);
    await server.settle();
    expect([room.messages.at(-1), room.outgoing, reads()]).toEqual([first, [], before + 1]);
    expect(client.me).toEqual(ME);

    // Now that the client knows how the server names the sender, the reply is enough.
    const second = await say("two", 3);
    await server.settle();
    expect([room.messages.at(-1), room.outgoing, reads()]).toEqual([second, [], before + 1]);
    socket.push({ type: "message", ...second });
    expect(heard).toEqual([2, 3]);

    // A reply that overtakes somebody else's message waits for it.
    log.push(entry(ROOM, 4));
    await say("three", 5);
    expect([heard, room.outgoing.map(({ text }) => text)]).toEqual([[2, 3], ["three"]]);
    socket.push({ type: "message", ...entry(ROOM, 4) });
    expect([heard, room.outgoing]).toEqual([[2, 3, 4, 5], []]);
    client.close();
  });

  it("loads older pages until none are left", async () => {
    const { client, room, seqs } = await opened(Array.from({ length: 70 }, (_, index) => entry(ROOM, index + 1)));
    expect([seqs()[0], room.hasOlder]).toEqual([41, true]);
    await Promise.all([room.loadOlder(), room.loadOlder()]);
    expect(seqs()[0]).toBe(11);
    await room.loadOlder();
    expect([seqs()[0], room.hasOlder, seqs().length]).toEqual([1, false, 70]);
    client.close();
  });

  it("coalesces read markers", async () => {
    const { server, client, socket, room } = await opened([entry(ROOM, 1), entry(ROOM, 2), entry(ROOM, 3)]);
    server.answers.markRead = ({ seq }) => ({ room_id: ROOM, last_read_seq: seq, unread_count: 0 });
    room.markRead(1);
    room.markRead(3);
    room.markRead(2);
    await vi.advanceTimersByTimeAsync(1_000);
    room.markRead(3);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(socket.received("markRead").map(({ seq }) => seq)).toEqual([3]);
    expect(room.room?.last_read_seq).toBe(3);
    client.close();
  });

  it("repeats a rate-limited read marker", async () => {
    const { server, client, socket, room } = await opened([entry(ROOM, 1), entry(ROOM, 2)]);
    room.markRead(2);
    await vi.advanceTimersByTimeAsync(300);
    server.answers.markRead = ({ seq }) => ({ room_id: ROOM, last_read_seq: seq, unread_count: 0 });
    socket.refuse(socket.received("markRead")[0]!, { code: "rate_limited", retry_after_ms: 5_000 });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(socket.received("markRead").map(({ seq }) => seq)).toEqual([2, 2]);
    expect(room.room?.last_read_seq).toBe(2);
    client.close();
  });

  it("learns read markers from views and events", async () => {
    const { server, client, socket, room } = await opened([entry(ROOM, 1), entry(ROOM, 2), entry(ROOM, 3)]);
    const view = (mark: number) => ({
      ...roomView(ROOM, 3),
      members: [{ participant: "hospital:h", role: "hospital", language: "ko", name: null, last_read_seq: mark }],
    });
    server.answers.joinGroup = () => ({ room: view(2) });
    const fresh = await reconnect(server, socket);
    expect(room.readMarkers).toEqual({ "hospital:h": 2 });
    fresh.push({ type: "read", room_id: ROOM, participant: "hospital:h", last_read_seq: 3 });
    fresh.push({ type: "room", room: view(1) });
    expect(room.readMarkers).toEqual({ "hospital:h": 3 });
    room.leave();
    const other = server.client();
    other.connect();
    await server.accept();
    await other.room(ROOM).open();
    expect(other.room(ROOM).readMarkers).toEqual({ "hospital:h": 2 });
    for (const one of [client, other]) one.close();
  });

  it("searches page by page", async () => {
    const { server, client, socket, room } = await opened([entry(ROOM, 1)]);
    server.answers.getChatHistory = ({ before_seq: before }) =>
      before === undefined ? { messages: [entry(ROOM, 9)], has_more: true, next: { before_seq: 5 } } : undefined;
    const pages: number[][] = [];
    const searching = (async () => {
      for await (const page of room.search("text")) pages.push(page.map(({ seq }) => seq));
    })();
    await server.settle();
    const second = socket.received("getChatHistory").at(-1)!;
    expect(second).toMatchObject({ query: "text", before_seq: 5 });
    socket.refuse(second, { code: "rate_limited", retry_after_ms: 500 });
    await vi.advanceTimersByTimeAsync(500);
    socket.reply(socket.received("getChatHistory").at(-1)!, { messages: [entry(ROOM, 2)], has_more: false });
    await searching;
    expect(pages).toEqual([[9], [2]]);
    client.close();
  });

  it("replaces a connection without pushes", async () => {
    const log = [entry(ROOM, 1, { sent_at: Date.now() })];
    const { server, client, socket, heard } = await opened(log);
    log.push(entry(ROOM, 2, { sent_at: Date.now() }));
    await vi.advanceTimersByTimeAsync(7 * 60_000);
    expect(heard).toEqual([2]);
    const fresh = await server.accept();
    expect([fresh === socket, socket.closed, client.state]).toEqual([false, true, "online"]);
    client.close();
  });

  it("backs off while a translation is missing", async () => {
    const log = [entry(ROOM, 1)];
    const { server, client, socket, room } = await opened(log);
    const members = [{ participant: "user:aiko", role: "patient", language: "ja", name: null }];
    socket.push({ type: "room", room: { ...roomView(ROOM, 1), members } });
    const before = socket.received("getChatHistory").length;
    await vi.advanceTimersByTimeAsync(8 * 7 * 60_000);
    expect(socket.received("getChatHistory").length - before).toBe(4);
    log[0]!.translations = { ja: { language: "ja", text: "文", source: "deepl", status: "ok", version: 1, at: 1 } };
    await vi.advanceTimersByTimeAsync(8 * 7 * 60_000);
    await server.settle();
    expect(room.messages[0]!.translations.ja?.text).toBe("文");
    client.close();
  });
});

describe("room list", () => {
  it("follows messages and ignores older views", async () => {
    const server = new FakeServer();
    const rooms = [roomView("consult:a:h", 5), roomView("consult:b:h", 9)];
    server.answers.getRoomList = ({ cursor }) =>
      cursor === undefined ? { rooms, next_cursor: "c" } : { rooms: [roomView("consult:c:h", 2)] };
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    await client.rooms.load();
    const ids = () => client.rooms.rooms.map(({ room_id: id }) => id[8]).join("");
    expect([ids(), client.rooms.hasMore]).toEqual(["ba", true]);
    await client.rooms.loadMore();
    expect([ids(), client.rooms.hasMore]).toEqual(["bac", false]);
    socket.push({ type: "message", ...entry("consult:c:h", 3, { sent_at: 20 }) });
    expect([ids(), client.rooms.rooms[0]!.unread_count, client.rooms.rooms[0]!.last_message?.seq]).toEqual([
      "cba",
      1,
      3,
    ]);
    // An older view changes nothing.
    socket.push({ type: "room", room: roomView("consult:c:h", 2) });
    expect(client.rooms.rooms[0]!.last_seq).toBe(3);
    client.close();
  });

  it("drops rooms that changed status while offline", async () => {
    const server = new FakeServer();
    server.answers.getRoomList = () => ({ rooms: [roomView("consult:a:h", 5), roomView("consult:b:h", 4)] });
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    await client.rooms.load("waiting");
    server.answers.getRoomList = () => ({ rooms: [roomView("consult:b:h", 4)] });
    await reconnect(server, socket);
    expect(client.rooms.rooms.map(({ room_id: id }) => id)).toEqual(["consult:b:h"]);
    client.close();
  });

  it("applies reads from other devices", async () => {
    const server = new FakeServer();
    server.answers.getRoomList = () => ({ rooms: [{ ...roomView("consult:a:h", 5), unread_count: 3 }] });
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    await client.rooms.load();
    socket.push({ type: "read", room_id: "consult:a:h", participant: "hospital:h", last_read_seq: 5 });
    expect(client.rooms.rooms[0]!.unread_count).toBe(3);
    socket.push({ type: "read", room_id: "consult:a:h", participant: "user:aiko", last_read_seq: 5 });
    expect(client.rooms.rooms[0]!.unread_count).toBe(0);
    client.close();
  });

  it("follows status changes when filtered", async () => {
    const server = new FakeServer();
    server.answers.getRoomList = () => ({ rooms: [roomView("consult:a:h", 5)] });
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    await client.rooms.load("waiting");
    socket.push({ type: "room", room: roomView("consult:n:h", 1) });
    const event = { name: "status_changed", from: "waiting", to: "closed" };
    socket.push({ type: "message", ...entry("consult:a:h", 6, { kind: "system", event }) });
    expect(client.rooms.rooms.map(({ room_id: id }) => id)).toEqual(["consult:n:h"]);
    client.close();
  });

  it("counts messages received while requesting their room", async () => {
    const server = new FakeServer();
    server.answers.getRoomList = () => ({ rooms: [] });
    server.answers.joinGroup = ({ group_id: id }) => ({ room: { ...roomView(String(id), 4), unread_count: 1 } });
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    await client.rooms.load();
    for (const seq of [5, 6]) socket.push({ type: "message", ...entry("consult:n:h", seq) });
    await server.settle();
    const [room] = client.rooms.rooms;
    expect([room?.last_seq, room?.unread_count, room?.last_message?.seq]).toEqual([6, 3, 6]);
    client.close();
  });

  it("refreshes with heartbeats and renewals", async () => {
    const server = new FakeServer();
    server.answers.getRoomList = () => ({ rooms: [] });
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    await client.rooms.load();
    server.answers.getRoomList = () => ({ rooms: [roomView("consult:a:h", 5)] });
    await vi.advanceTimersByTimeAsync(7 * 60_000);
    expect(client.rooms.rooms.map(({ room_id: id }) => id)).toEqual(["consult:a:h"]);
    server.answers.getRoomList = () => ({ rooms: [roomView("consult:a:h", 5), roomView("consult:b:h", 6)] });
    const beats = socket.received("getRoomList").length;
    while (server.last === socket) await vi.advanceTimersByTimeAsync(60_000);
    await server.accept();
    expect([server.last.received("getRoomList").length, beats]).toEqual([1, 2]);
    expect(client.rooms.rooms).toHaveLength(2);
    client.close();
  });

  it("adds an unknown room despite rate limits", async () => {
    const server = new FakeServer();
    server.answers.getRoomList = () => ({ rooms: [] });
    delete server.answers.joinGroup;
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    await client.rooms.load();
    socket.push({ type: "message", ...entry("consult:n:h", 5) });
    await server.settle();
    socket.refuse(socket.received("joinGroup")[0]!, { code: "rate_limited", retry_after_ms: 3_000 });
    socket.push({ type: "message", ...entry("consult:n:h", 6) });
    server.answers.joinGroup = ({ group_id: id }) => ({ room: { ...roomView(String(id), 4), unread_count: 1 } });
    await vi.advanceTimersByTimeAsync(3_000);
    const [room] = client.rooms.rooms;
    expect([room?.last_seq, room?.unread_count, socket.received("joinGroup").length]).toEqual([6, 3, 2]);
    client.close();
  });

  it("applies translation modes immediately", async () => {
    const server = new FakeServer();
    server.answers.getRoomList = () => ({ rooms: [{ ...roomView("consult:a:h", 5), translation: "auto" }] });
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    await client.rooms.load();
    const event = { name: "translation_changed", from: "auto", to: "on_request" };
    socket.push({ type: "message", ...entry("consult:a:h", 6, { kind: "system", event }) });
    expect(client.rooms.rooms[0]?.translation).toBe("on_request");
    client.close();
  });

  it("counts no own messages as unread", async () => {
    const server = new FakeServer();
    server.answers.getRoomList = () => ({ rooms: [{ ...roomView("consult:a:h", 5), last_read_seq: 5 }] });
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    await client.rooms.load();
    const unread = () => client.rooms.rooms[0]!.unread_count;
    const push = (seq: number, more = {}) => socket.push({ type: "message", ...entry("consult:a:h", seq, more) });
    for (const seq of [6, 8]) push(seq);
    // From another device of the user, and from this one, whose reply overtakes a message.
    push(7, { sender: ME });
    client.send("consult:a:h", "mine");
    await server.settle();
    const request = socket.received("sendMessage")[0]!;
    socket.reply(request, { room_id: "consult:a:h", seq: 10, message_id: "m", sent_at: 10, duplicate: false });
    await server.settle();
    push(9);
    expect(unread()).toBe(3);
    socket.push({ type: "read", room_id: "consult:a:h", participant: "user:aiko", last_read_seq: 9 });
    expect(unread()).toBe(0);
    client.close();
  });

  it("previews the first own message", async () => {
    const server = new FakeServer();
    server.answers.getRoomList = () => ({ rooms: [roomView("consult:a:h", 5)] });
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    await client.rooms.load();
    client.send("consult:a:h", "mine");
    await server.settle();
    const request = socket.received("sendMessage")[0]!;
    socket.reply(request, { room_id: "consult:a:h", seq: 6, message_id: "m", sent_at: 6, duplicate: false });
    await server.settle();
    const sender = { participant: "user:aiko", user_id: "aiko" };
    expect([client.me, client.rooms.rooms[0]!.last_message]).toEqual([
      null,
      { seq: 6, message: "mine", sender, sent_at: 6 },
    ]);
    client.close();
  });

  it("previews the newest text, in whatever order", async () => {
    const server = new FakeServer();
    server.answers.getRoomList = () => ({ rooms: [roomView("consult:a:h", 5)] });
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    await client.rooms.load();
    const event = { name: "status_changed", from: "waiting", to: "closed" };
    socket.push({ type: "message", ...entry("consult:a:h", 7, { kind: "system", event }) });
    socket.push({ type: "message", ...entry("consult:a:h", 6) });
    const [room] = client.rooms.rooms;
    expect([room?.last_message?.seq, room?.last_seq, room?.status]).toEqual([6, 7, "closed"]);
    client.close();
  });
});

describe("preview", () => {
  const translation = (text: string, version: number, more = {}) => ({
    language: "ja",
    text,
    source: "deepl",
    status: "ok",
    version,
    at: version,
    ...more,
  });

  async function listed(lastMessage: object | null = null) {
    const server = new FakeServer();
    const view = (lastSeq: number) => ({ ...roomView("consult:a:h", lastSeq), last_message: lastMessage });
    server.answers.getRoomList = () => ({ rooms: [view(5)] });
    const client = server.client({ token: () => token({ sub: "aiko", language: "ja-JP" }) });
    client.connect();
    const socket = await server.accept();
    await client.rooms.load();
    const translate = (seq: number, translated: object) =>
      socket.push({ type: "translation", room_id: "consult:a:h", seq, translation: translated });
    const preview = () => client.rooms.rooms[0]?.last_message;
    return { server, client, socket, view, translate, preview };
  }
  const text = { seq: 5, message: "안녕하세요", language: "ko", sender: { participant: "hospital:h" }, sent_at: 5 };

  it("keeps the newest translation into the reader's language", async () => {
    const { client, socket, view, translate, preview } = await listed({ ...text, translation: translation("一", 1) });
    expect(preview()).toMatchObject({ language: "ko", translation: { text: "一" } });
    translate(5, translation("三", 3));
    translate(5, translation("二", 2));
    translate(5, translation("four", 4, { language: "en" }));
    translate(4, translation("五", 5));
    expect(preview()?.translation?.text).toBe("三");
    // Neither view knows of it: one was made before, and one is made without translations.
    socket.push({ type: "room", room: view(5) });
    socket.push({ type: "room", room: { ...view(5), last_message: text } });
    expect(preview()?.translation?.text).toBe("三");
    client.close();
  });

  it("follows messages and their translations", async () => {
    const { client, socket, translate, preview } = await listed(text);
    socket.push({ type: "message", ...entry("consult:a:h", 6, { translations: { ja: translation("六", 1) } }) });
    expect(preview()).toMatchObject({ message: "text 6", language: "ko", translation: { text: "六" } });
    socket.push({ type: "message", ...entry("consult:a:h", 7) });
    expect(preview()).not.toHaveProperty("translation");
    translate(7, translation("七", 1));
    expect(preview()).toMatchObject({ message: "text 7", translation: { text: "七" } });
    client.close();
  });

  it("follows the language that is chosen", async () => {
    const { server, client, socket, translate, preview } = await listed({ ...text, translation: translation("一", 9) });
    server.answers.setLanguage = ({ language }) => ({ language });
    server.answers.getRoomList = () => undefined;
    const chosen = client.setLanguage("en");
    await server.settle();
    expect(preview()).not.toHaveProperty("translation");
    translate(5, translation("二", 10));
    translate(5, translation("two", 1, { language: "en" }));
    expect(preview()?.translation?.text).toBe("two");
    socket.reply(socket.received("getRoomList").at(-1)!, { rooms: [] });
    await chosen;
    client.close();
  });
});

describe("setLanguage", () => {
  it("reads the open rooms again", async () => {
    const log = [entry(ROOM, 1)];
    const { server, client, socket, room } = await opened(log);
    server.answers.setLanguage = () => ({ language: "en-GB" });
    log[0]!.translations = { en: { language: "en", text: "one", source: "deepl", status: "ok", version: 1, at: 1 } };
    const joins = socket.received("joinGroup").length;
    await client.setLanguage("en_gb");
    expect(socket.received("setLanguage")[0]).toMatchObject({ language: "en_gb" });
    expect(socket.received("joinGroup").length).toBe(joins + 1);
    expect([client.language, room.messages[0]!.translations.en?.text]).toEqual(["en-GB", "one"]);
    client.close();
  });

  it("applies to later connections, before they open rooms", async () => {
    const { server, client, socket } = await opened([entry(ROOM, 1)]);
    server.answers.setLanguage = () => ({ language: "en" });
    await client.setLanguage("en");
    const fresh = await reconnect(server, socket);
    expect(fresh.sent.slice(0, 2).map(({ action }) => action)).toEqual(["setLanguage", "joinGroup"]);
    server.answers.setLanguage = () => undefined;
    const limited = await reconnect(server, fresh);
    limited.refuse(limited.received("setLanguage")[0]!, { code: "rate_limited", retry_after_ms: 60_000 });
    await server.settle();
    expect(limited.received("joinGroup")).toHaveLength(1);
    client.close();
  });

  it("changes nothing if it is refused", async () => {
    const { client, socket, server } = await opened([]);
    const chosen = client.setLanguage("klingon");
    await server.settle();
    socket.refuse(socket.received("setLanguage")[0]!, { code: "bad_request" });
    await expect(chosen).rejects.toMatchObject({ refusal: { code: "bad_request" } });
    expect(client.language).toBeNull();
    client.close();
  });
});

describe("entries of newer servers", () => {
  it("are kept and break nothing", async () => {
    const { room_id, message_id, sender, sent_at } = entry(ROOM, 2);
    const poll = { room_id, seq: 2, message_id, kind: "poll", sender, sent_at, options: ["a", "b"] };
    const log = [entry(ROOM, 1), poll as unknown as ReturnType<typeof entry>];
    const { client, socket, room, seqs } = await opened(log);
    socket.push({ type: "message", ...poll });
    socket.push({ type: "message", ...poll, seq: 3, message_id: "id-3" });
    const event = { name: "member_promoted", participant: "user:aiko" };
    socket.push({ type: "message", ...entry(ROOM, 4, { kind: "system", message: "", event }) });
    socket.push({ type: "message", ...poll, seq: 6, message_id: "id-6" });
    socket.push({ type: "message", ...entry(ROOM, 5) });
    expect(seqs()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(room.messages[5]).toMatchObject({ kind: "poll", message: "", translations: {} });
    client.close();
  });
});
