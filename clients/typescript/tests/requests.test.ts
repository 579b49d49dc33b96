import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ConnectionLost, DamsoError } from "../src/index.js";
import { FakeServer } from "./fake-server.js";

const GATEWAY = { message: "Internal server error", connectionId: "c", requestId: "r" };
const STATUS = { room_id: "consult:aiko:h", status: "closed" } as const;

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

async function online() {
  const server = new FakeServer();
  const client = server.client();
  client.connect();
  const socket = await server.accept();
  return { server, client, socket };
}

describe("request", () => {
  it("waits for the first connection", async () => {
    const server = new FakeServer();
    server.answers.getUsage = () => ({ month: "2026-11" });
    const client = server.client();
    const asked = client.request("getUsage", {});
    client.connect();
    await server.accept();
    await expect(asked).resolves.toMatchObject({ month: "2026-11" });
    client.close();
  });

  it("rejects without quoting the server's sentence", async () => {
    const { client, socket } = await online();
    const asked = client.request("changeRoomStatus", STATUS);
    socket.refuse(socket.received("changeRoomStatus")[0]!, { code: "forbidden", message: "quoting: secret words" });
    const error = await asked.catch((refused: unknown) => refused);
    expect(error).toBeInstanceOf(DamsoError);
    expect(error).toMatchObject({ refusal: { code: "forbidden", message: "quoting: secret words" } });
    expect(String(error)).not.toContain("secret");
    client.close();
  });

  it("contains no halves of surrogate pairs", async () => {
    const { server, client, socket } = await online();
    server.answers.setTranslatedMessage = () => ({});
    const correction = { room_id: "consult:aiko:h", seq: 1, language: "ko", translated_message: "\ud83d 😀 \ude00" };
    await client.request("setTranslatedMessage", correction);
    expect(socket.received("setTranslatedMessage")[0]!.translated_message).toBe("\ufffd 😀 \ufffd");
    client.close();
  });

  it("is repeated if idempotent", async () => {
    const { server, client, socket } = await online();
    const asked = client.request("getUsage", {});
    await server.settle();
    server.answers.getUsage = () => ({ month: "2026-11" });
    socket.cut();
    await vi.advanceTimersByTimeAsync(250);
    const fresh = await server.accept();
    await asked;
    expect(fresh.received("getUsage")[0]!.request_id).toBe(socket.received("getUsage")[0]!.request_id);
    client.close();
  });

  it("moves to the replacement of an expired connection", async () => {
    const server = new FakeServer();
    const client = server.client({
      timing: {
        minHeartbeatIntervalMs: 1e9,
        maxHeartbeatIntervalMs: 1e9,
        minConnectionAgeMs: 5_000,
        maxConnectionAgeMs: 5_000,
      },
    });
    client.connect();
    const old = await server.accept();
    // The pending request keeps the old connection open after the new one has taken over.
    await vi.advanceTimersByTimeAsync(4_000);
    const asked = client.request("getUsage", {});
    await vi.advanceTimersByTimeAsync(1_000);
    const fresh = await server.accept();
    expect([fresh === old, old.closed]).toEqual([false, false]);
    server.answers.getUsage = () => ({ month: "2026-11" });
    old.refuse(old.received("getUsage")[0]!, { code: "session_expired" });
    await expect(asked).resolves.toMatchObject({ month: "2026-11" });
    expect(fresh.received("getUsage")).toHaveLength(1);
    client.close();
  });

  it("is lost with the connection if not idempotent", async () => {
    const { client, socket } = await online();
    const asked = client.request("changeRoomStatus", STATUS);
    socket.cut();
    await expect(asked).rejects.toBeInstanceOf(ConnectionLost);
    await expect(asked).rejects.toMatchObject({ outcome: "unknown" });
    client.close();
  });

  it("survives API Gateway errors if idempotent", async () => {
    const { server, client, socket } = await online();
    const free = client.request("getUsage", {});
    socket.push(GATEWAY);
    await vi.advanceTimersByTimeAsync(250);
    expect(socket.received("getUsage")).toHaveLength(2);
    socket.reply(socket.received("getUsage")[0]!, { month: "2026-11" });
    await free;
    const once = client.request("changeRoomStatus", STATUS);
    once.catch(() => {});
    socket.push(GATEWAY);
    await expect(once).rejects.toMatchObject({ outcome: "unknown" });
    await server.settle();
    client.close();
  });

  it("is given up after six attempts", async () => {
    const { client, socket } = await online();
    const asked = client.request("getUsage", {});
    asked.catch(() => {});
    for (let failure = 0; failure < 6; failure += 1) {
      socket.refuse(socket.received("getUsage").at(-1)!, { code: "internal" });
      await vi.advanceTimersByTimeAsync(10_000);
    }
    await expect(asked).rejects.toMatchObject({ refusal: { code: "internal" } });
    expect(socket.received("getUsage")).toHaveLength(6);
    client.close();
  });

  it("is refused locally if too large", async () => {
    const { client, socket } = await online();
    const large = client.request("sendMessage", { message: "x".repeat(200_000) });
    await expect(large).rejects.toMatchObject({ refusal: { code: "message_too_long" } });
    expect(socket.received("sendMessage")).toEqual([]);
    client.close();
  });

  it("succeeds if a correction conflicts with itself", async () => {
    const { server, client, socket } = await online();
    const fields = { room_id: "consult:aiko:h", seq: 1, language: "ko", translated_message: "두통", version: 1 };
    const asked = client.request("setTranslatedMessage", fields);
    await server.settle();
    socket.cut();
    await vi.advanceTimersByTimeAsync(250);
    const fresh = await server.accept();
    const translation = { language: "ko", text: "두통", source: "person", status: "ok", version: 2, at: 1, by: "aiko" };
    fresh.refuse(fresh.received("setTranslatedMessage")[0]!, { code: "conflict", translation });
    await expect(asked).resolves.toEqual({ translation });
    client.close();
  });
});
