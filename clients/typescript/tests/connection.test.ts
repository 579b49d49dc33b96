import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ConnectionState } from "../src/index.js";
import { entry, FakeServer, token } from "./fake-server.js";

const ROOM = "consult:aiko:h";
const MINUTE = 60_000;
const WITHOUT_HEARTBEAT = { minHeartbeatIntervalMs: 1_000 * MINUTE, maxHeartbeatIntervalMs: 1_000 * MINUTE };

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

describe("connection", () => {
  it("sends the token as a subprotocol only", async () => {
    const server = new FakeServer();
    const jwt = token({ sub: "aiko" });
    const client = server.client({ token: () => jwt });
    client.connect();
    const socket = await server.accept();
    expect(socket.protocols).toEqual(["damso.v1", `bearer.${jwt}`]);
    expect(socket.url).not.toContain(jwt);
    expect(client.state).toBe("online");
    client.close();
  });

  it("retries failed handshakes with backoff", async () => {
    const server = new FakeServer();
    const client = server.client();
    const states: ConnectionState[] = [];
    client.on("state", (state) => states.push(state));
    client.connect();
    const waits: number[] = [];
    for (let failure = 0; failure < 4; failure += 1) {
      await server.settle();
      server.last.cut();
      await server.settle();
      expect(client.state).toBe("offline");
      waits.push(client.nextRetryAt! - Date.now());
      await vi.advanceTimersByTimeAsync(waits.at(-1)!);
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000]);
    await server.accept();
    expect(client.state).toBe("online");
    expect(states).not.toContain("signed_out");
    client.close();
  });

  it("reconnects immediately on connectNow", async () => {
    const server = new FakeServer();
    const client = server.client();
    client.connect();
    await server.settle();
    server.last.cut();
    await server.settle();
    client.connectNow();
    await server.accept();
    expect([server.sockets.length, client.state, client.nextRetryAt]).toEqual([2, "online", null]);
    client.close();
  });

  it("retries missing tokens and hanging handshakes", async () => {
    const server = new FakeServer();
    let broken = true;
    const client = server.client({
      token: async () => {
        if (broken) throw new Error("no token today");
        return token({ sub: "aiko" });
      },
    });
    client.connect();
    await server.settle();
    expect([client.state, server.sockets.length]).toEqual(["offline", 0]);
    broken = false;
    client.connectNow();
    await server.settle();
    await vi.advanceTimersByTimeAsync(15_000);
    expect([client.state, server.last.closed]).toEqual(["offline", true]);
    client.close();
  });

  it("replaces itself, make before break", async () => {
    const server = new FakeServer();
    const client = server.client({ timing: WITHOUT_HEARTBEAT });
    client.connect();
    const old = await server.accept();
    server.answers.getChatHistory = () => ({ room_id: ROOM, messages: [entry(ROOM, 1)], has_more: false });
    await Promise.all([client.room(ROOM).open(), server.settle()]);
    const heard: number[] = [];
    client.on("message", ({ seq }) => heard.push(seq));

    server.answers.sync = () => undefined;
    await vi.advanceTimersByTimeAsync(105 * MINUTE);
    expect(server.sockets.length).toBeGreaterThan(1);
    const fresh = await server.accept();
    expect(client.state).toBe("online");
    expect(fresh.received("joinGroup")).toHaveLength(1);
    expect(old.closed).toBe(false);
    old.push({ type: "message", ...entry(ROOM, 2) });
    fresh.push({ type: "message", ...entry(ROOM, 2) });
    fresh.push({ type: "message", ...entry(ROOM, 3) });
    old.push({ type: "message", ...entry(ROOM, 3) });
    expect(heard).toEqual([2, 3]);

    fresh.reply(fresh.received("sync")[0]!, { rooms: [] });
    await server.settle();
    expect([old.closed, fresh.closed]).toEqual([true, false]);
    client.close();
  });

  it("keeps the old socket if its replacement dies", async () => {
    const server = new FakeServer();
    const client = server.client({ timing: WITHOUT_HEARTBEAT });
    client.connect();
    const old = await server.accept();
    server.answers.getChatHistory = () => ({ room_id: ROOM, messages: [entry(ROOM, 1)], has_more: false });
    await client.room(ROOM).open();
    server.answers.sync = () => undefined;
    await vi.advanceTimersByTimeAsync(105 * MINUTE);
    const fresh = await server.accept();
    fresh.cut();
    await server.settle();
    expect([client.state, old.closed]).toEqual(["online", false]);
    client.close();
  });

  it("refreshes the session or reconnects", async () => {
    const server = new FakeServer();
    const issued = () => token({ sub: "aiko", exp: Math.floor(Date.now() / 1000) + 600 });
    const client = server.client({ token: issued });
    server.answers.refreshSession = () => ({ session_until: Date.now() + 600_000 });
    client.connect();
    const socket = await server.accept();
    await vi.advanceTimersByTimeAsync(8 * MINUTE + 1_000);
    await server.settle();
    expect(socket.received("refreshSession")).toHaveLength(1);
    delete server.answers.refreshSession;
    await vi.advanceTimersByTimeAsync(8 * MINUTE + 1_000);
    socket.refuse(socket.received("refreshSession")[1]!, { code: "forbidden" });
    const fresh = await server.accept();
    expect(fresh).not.toBe(socket);
    expect(socket.closed).toBe(true);
    client.close();
  });

  it("reconnects when the session expires", async () => {
    const server = new FakeServer();
    let issued = 0;
    const newToken = () => {
      issued += 1;
      return token({ sub: "aiko", iat: issued });
    };
    const client = server.client({ token: newToken });
    client.connect();
    const socket = await server.accept();
    const listed = client.rooms.load();
    await server.settle();
    socket.refuse(socket.received("getRoomList")[0]!, { code: "session_expired" });
    await vi.advanceTimersByTimeAsync(250);
    server.answers.getRoomList = () => ({ rooms: [] });
    const fresh = await server.accept();
    await listed;
    expect(fresh.protocols).not.toEqual(socket.protocols);
    client.close();
  });

  it("stops for good when signed out", async () => {
    const server = new FakeServer();
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    const leaving = client.request("signOutEverywhere", {});
    const asked = client.request("getUsage", {});
    socket.push({ type: "session", event: "signed_out" });
    await leaving;
    await expect(asked).rejects.toThrow("getUsage got no reply");
    await expect(client.request("getUsage", {})).rejects.toThrow("getUsage was not sent");
    await vi.advanceTimersByTimeAsync(60 * MINUTE);
    expect([client.state, server.sockets.length, vi.getTimerCount()]).toEqual(["signed_out", 1, 0]);
  });

  it("stays closed when evicted, until connect", async () => {
    const server = new FakeServer();
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    const asked = client.request("getUsage", {});
    socket.push({ type: "session", event: "evicted" });
    socket.cut();
    await expect(asked).rejects.toThrow("getUsage got no reply");
    client.send(ROOM, "later");
    client.connectNow();
    client.setVisible(true);
    await vi.advanceTimersByTimeAsync(60 * MINUTE);
    expect([client.state, server.sockets.length, vi.getTimerCount()]).toEqual(["evicted", 1, 0]);
    client.connect();
    const fresh = await server.accept();
    expect([client.state, fresh.received("sendMessage").length]).toEqual(["online", 1]);
    client.close();
  });

  it.each(["is about to open", "has opened"])("is not evicted if its replacement %s", async (when) => {
    const server = new FakeServer();
    const client = server.client({
      timing: { ...WITHOUT_HEARTBEAT, minConnectionAgeMs: 5_000, maxConnectionAgeMs: 5_000 },
    });
    client.connect();
    const old = await server.accept();
    // The request without a reply keeps the old socket open.
    client.request("getUsage", {}).catch(() => {});
    await vi.advanceTimersByTimeAsync(5_000);
    if (when === "has opened") await server.accept();
    old.push({ type: "session", event: "evicted" });
    old.cut();
    if (when === "is about to open") await server.accept();
    expect([client.state, server.sockets.length, server.last.closed]).toEqual(["online", 2, false]);
    client.close();
  });

  it("ignores session events of newer servers", async () => {
    const server = new FakeServer();
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    socket.push({ type: "session", event: "renamed" });
    socket.push({ type: "party", room_id: ROOM });
    expect([client.state, socket.closed]).toEqual(["online", false]);
    client.close();
  });

  it("drops a socket that misses a heartbeat", async () => {
    const server = new FakeServer();
    server.answers.sync = () => undefined;
    const client = server.client();
    client.connect();
    const socket = await server.accept();
    await vi.advanceTimersByTimeAsync(7 * MINUTE);
    expect(socket.received("sync")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect([socket.closed, client.state]).toEqual([true, "offline"]);
    client.close();
  });

  it("leaves no timers after close", async () => {
    const server = new FakeServer();
    const client = server.client();
    client.connect();
    await server.accept();
    void client
      .room(ROOM)
      .open()
      .catch(() => {});
    client.send(ROOM, "hello");
    client.room(ROOM).markRead(1);
    const asked = client.request("getUsage", {});
    client.close();
    await expect(asked).rejects.toThrow("unknown");
    await server.settle();
    expect([client.state, vi.getTimerCount()]).toEqual(["idle", 0]);
    client.connect();
    const again = await server.accept();
    expect(again.received("sendMessage")).toHaveLength(1);
    client.close();
    await server.settle();
    expect(vi.getTimerCount()).toBe(0);
  });
});
