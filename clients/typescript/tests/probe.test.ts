import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { entry, FakeServer, roomView } from "./fake-server.js";

const ROOM = "consult:aiko:h";
const SECOND = 1_000;

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function online() {
  const server = new FakeServer();
  const client = server.client();
  client.connect();
  const socket = await server.accept();
  const probes = () => socket.received("sync").length;
  return { server, client, socket, probes };
}

describe("probe", () => {
  it("replaces a dead connection within a minute", async () => {
    const { server, client, socket } = await online();
    client.setVisible(true);
    // A proxy that keeps the connection open and drops everything.
    server.answers = {};
    await vi.advanceTimersByTimeAsync(45 * SECOND);
    await server.accept();
    expect([socket.closed, server.sockets.length, client.state]).toEqual([true, 2, "online"]);
    client.close();
  });

  it("keeps a connection that answers", async () => {
    const { server, client, socket, probes } = await online();
    client.setVisible(true);
    await vi.advanceTimersByTimeAsync(5 * 60 * SECOND);
    expect([socket.closed, server.sockets.length, probes()]).toEqual([false, 1, 10]);
    client.close();
  });

  it("keeps a connection that refuses or is slow", async () => {
    const { server, client, socket, probes } = await online();
    client.setVisible(true);
    server.answers = {};
    await vi.advanceTimersByTimeAsync(30 * SECOND);
    socket.refuse(socket.received("sync")[0]!, { code: "rate_limited", retry_after_ms: 1_000 });
    await vi.advanceTimersByTimeAsync(30 * SECOND);
    expect(probes()).toBe(2);
    socket.push({ type: "read", room_id: ROOM, participant: "user:b", last_read_seq: 1 });
    await vi.advanceTimersByTimeAsync(10 * SECOND);
    expect([socket.closed, client.state]).toEqual([false, "online"]);
    client.close();
  });

  it("waits while the server is not silent", async () => {
    const { client, socket, probes } = await online();
    client.setVisible(true);
    for (let time = 0; time < 20; time += 1) {
      await vi.advanceTimersByTimeAsync(20 * SECOND);
      socket.push({ type: "read", room_id: ROOM, participant: "user:b", last_read_seq: time });
    }
    // Only the heartbeat was sent.
    expect(probes()).toBeLessThanOrEqual(1);
    client.close();
  });

  it("is not sent while nobody is looking", async () => {
    const { client, probes } = await online();
    await vi.advanceTimersByTimeAsync(4 * 60 * SECOND);
    client.setVisible(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(probes(), "once somebody is back").toBe(1);
    client.setVisible(false);
    await vi.advanceTimersByTimeAsync(2 * 60 * SECOND);
    expect(probes()).toBe(1);
    client.close();
  });

  it("follows a request without a reply", async () => {
    const { server, client, socket, probes } = await online();
    client.setVisible(true);
    client.send(ROOM, "urgent");
    await vi.advanceTimersByTimeAsync(4 * SECOND);
    expect([probes(), socket.closed]).toEqual([1, false]);
    await vi.advanceTimersByTimeAsync(4 * SECOND);
    expect(probes(), "the connection is alive").toBe(1);
    server.answers.sync = () => undefined;
    client.send("open:other", "urgent");
    await vi.advanceTimersByTimeAsync(14 * SECOND);
    expect([probes(), socket.closed]).toEqual([2, true]);
    await vi.advanceTimersByTimeAsync(SECOND);
    const fresh = await server.accept();
    expect(fresh.received("sendMessage")).toHaveLength(2);
    client.close();
  });

  it("brings what was not pushed to open rooms", async () => {
    const { server, client, socket } = await online();
    client.setVisible(true);
    const log = [entry(ROOM, 1)];
    server.answers.joinGroup = () => ({ room: roomView(ROOM, 1) });
    server.answers.getChatHistory = () => ({ room_id: ROOM, messages: log, has_more: false });
    await client.room(ROOM).open();
    server.answers.sync = ({ rooms }) => ({
      rooms: [{ room_id: ROOM, last_seq: 2, complete: true, messages: [entry(ROOM, rooms[ROOM] + 1)] }],
    });
    await vi.advanceTimersByTimeAsync(36 * SECOND);
    expect(socket.received("sync")[0]!.rooms).toEqual({ [ROOM]: 1 });
    expect(client.room(ROOM).messages.map(({ seq }) => seq)).toEqual([1, 2]);
    client.close();
  });
});

describe("in a browser", () => {
  async function opened(visibilityState: string) {
    const page = Object.assign(new EventTarget(), { visibilityState });
    const view = new EventTarget();
    vi.stubGlobal("document", page);
    vi.stubGlobal("window", view);
    const { server, client, socket, probes } = await online();
    const become = (state: string) => {
      page.visibilityState = state;
      page.dispatchEvent(new Event("visibilitychange"));
    };
    return { server, client, socket, probes, view, become };
  }

  it("only visible pages probe", async () => {
    const { client, probes, become } = await opened("visible");
    await vi.advanceTimersByTimeAsync(36 * SECOND);
    expect(probes()).toBe(1);
    become("hidden");
    await vi.advanceTimersByTimeAsync(4 * 60 * SECOND);
    expect(probes()).toBe(1);
    become("visible");
    await vi.advanceTimersByTimeAsync(0);
    expect(probes()).toBe(2);
    client.close();
    become("visible");
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each(["focus", "online"])("%s probes at once", async (event) => {
    const { server, client, socket, probes, view } = await opened("visible");
    await vi.advanceTimersByTimeAsync(20 * SECOND);
    server.answers = {};
    view.dispatchEvent(new Event(event));
    await vi.advanceTimersByTimeAsync(0);
    expect(probes()).toBe(1);
    await vi.advanceTimersByTimeAsync(10 * SECOND);
    expect(socket.closed).toBe(true);
    view.dispatchEvent(new Event(event));
    expect(client.state).toBe("connecting");
    client.close();
  });

  it("focus right after a frame sends nothing", async () => {
    const { client, socket, probes, view } = await opened("visible");
    socket.push({ type: "read", room_id: ROOM, participant: "user:b", last_read_seq: 1 });
    view.dispatchEvent(new Event("focus"));
    await vi.advanceTimersByTimeAsync(0);
    expect(probes()).toBe(0);
    client.close();
  });
});
