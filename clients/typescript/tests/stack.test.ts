import { isDeepStrictEqual } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type Client, DamsoClient, type Message, type Options, type Timing } from "../src/index.js";
import { Stack } from "./stack.js";
import { waitUntil } from "./wait-until.js";

const ROOM = "consult:aiko:seoul-clinic";
const AIKO = { sub: "aiko", user_type: "user", name: "愛子", language: "ja" };
const MINJUN = { sub: "minjun", user_type: "hospital", hospital_id: "seoul-clinic", name: "민준", language: "ko" };
const SEOYEON = { sub: "seoyeon", user_type: "hospital", hospital_id: "seoul-clinic", name: "서연", language: "ko" };
/** Compresses hours into seconds. */
const FAST_TIMING: Partial<Timing> = {
  initialRetryDelayMs: 50,
  maxRetryDelayMs: 1_000,
  replyTimeoutMs: 15_000,
  gapRepairDelayMs: 200,
  minHeartbeatIntervalMs: 1_000,
  maxHeartbeatIntervalMs: 2_000,
  minConnectionAgeMs: 4_000,
  maxConnectionAgeMs: 8_000,
  refreshBeforeExpiryMs: 2_000,
};

/** Counts the connections of all clients. */
class CountedSocket extends WebSocket {
  static opened = 0;
  constructor(url: string, protocols: string[]) {
    super(url, protocols);
    CountedSocket.opened += 1;
  }
}

const cleanups: { stop(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup.stop();
});

async function startStack(faults?: object): Promise<Stack> {
  const stack = await Stack.start(faults);
  cleanups.push(stack);
  return stack;
}

function connectClient(
  stack: Stack,
  claims: Record<string, unknown>,
  options: Partial<Options> & { tokenLifetimeSeconds?: number } = {},
): DamsoClient {
  const client = new DamsoClient({
    url: stack.url,
    token: () => stack.token(claims, options.tokenLifetimeSeconds),
    WebSocket: CountedSocket as unknown as Options["WebSocket"],
    timing: FAST_TIMING,
    ...options,
  });
  cleanups.push({ stop: () => client.close() });
  client.connect();
  return client;
}

/** The complete log as the server has it. */
async function serverLog(client: Client, roomId: string): Promise<Message[]> {
  const all: Message[] = [];
  for (let more = true; more; ) {
    const page = await client.request("getChatHistory", {
      room_id: roomId,
      after_seq: all.at(-1)?.seq ?? 0,
      limit: 100,
    });
    all.push(...page.messages);
    more = page.has_more;
  }
  return all;
}

const withoutTranslations = ({ seq, message_id, kind, sender, message, language, reply_to, event }: Message) => ({
  seq,
  message_id,
  kind,
  sender,
  message,
  language,
  reply_to,
  event,
});

describe.skipIf(process.env.DAMSO_DEV === undefined)("against the real stack", () => {
  it("exchanges translations, corrections and read markers", {
    timeout: 300_000,
  }, async () => {
    const stack = await startStack();
    const aiko = connectClient(stack, AIKO);
    const minjun = connectClient(stack, MINJUN);
    const hers = aiko.room(ROOM);
    const his = minjun.room(ROOM);
    await Promise.all([hers.open(), his.open()]);

    const { seq } = await aiko.send(ROOM, "頭が痛いです。").sent;
    await waitUntil(
      [minjun],
      "the translation has arrived",
      () => his.messages.at(-1)?.translations.ko?.text === "머리가 아파요.",
    );
    expect(aiko.me).toEqual({ participant: "user:aiko", user_id: "aiko", name: "愛子" });
    await waitUntil([aiko], "the sender has it, too", () => hers.messages.at(-1)?.translations.ko?.status === "ok");
    expect(hers.messages.map(withoutTranslations)).toEqual(his.messages.map(withoutTranslations));

    his.markRead(seq);
    await waitUntil([aiko], "she sees that he has read it", () => hers.readMarkers["hospital:seoul-clinic"] === seq);

    const { version } = his.messages.at(-1)!.translations.ko!;
    await his.correct(seq, "ko", "두통이 있어요.", version);
    await waitUntil([aiko, minjun], "both see the correction", () =>
      [hers, his].every(
        (room) => room.messages.find((message) => message.seq === seq)?.translations.ko?.by === "minjun",
      ),
    );
    await expect(his.correct(seq, "ko", "머리 아파요.", version)).rejects.toMatchObject({
      refusal: { code: "conflict" },
    });

    const found: number[] = [];
    for await (const page of hers.search("頭が痛い")) found.push(...page.map((message) => message.seq));
    expect(found).toContain(seq);
  });

  it("keeps sessions alive until sign-out", {
    timeout: 300_000,
  }, async () => {
    const stack = await startStack();
    let issued = 0;
    const token = () => {
      issued += 1;
      return stack.token(AIKO, 4);
    };
    const aiko = connectClient(stack, AIKO, { token });
    const elsewhere = connectClient(stack, AIKO);
    const minjun = connectClient(stack, MINJUN);
    await Promise.all([aiko, elsewhere, minjun].map((client) => client.room(ROOM).open()));
    const openedBefore = CountedSocket.opened;
    const refreshedAndReplaced = () => issued > 5 && CountedSocket.opened > openedBefore + 2;
    await expect.poll(refreshedAndReplaced, { timeout: 300_000 }).toBe(true);
    const { seq } = await minjun.send(ROOM, "언제부터 아프셨어요?").sent;
    await waitUntil([aiko], "she receives his message", () => aiko.room(ROOM).messages.at(-1)?.seq === seq);

    await elsewhere.request("signOutEverywhere", {});
    await waitUntil([aiko, elsewhere], "both are signed out", () =>
      [aiko, elsewhere].every(({ state }) => state === "signed_out"),
    );
  });

  it("sends messages left by the previous page", { timeout: 300_000 }, async () => {
    const stack = await startStack();
    const items = new Map<string, string>();
    const outbox = {
      get length() {
        return items.size;
      },
      key: (index: number) => [...items.keys()][index] ?? null,
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => void items.set(key, value),
      removeItem: (key: string) => void items.delete(key),
    };
    const before = connectClient(stack, AIKO, { outbox });
    await before.room(ROOM).open();
    const texts = Array.from({ length: 5 }, (_, index) => `line ${index}`);
    const writing = texts.map((text) => before.send(ROOM, text).sent);
    await writing[1];
    before.close();
    const after = connectClient(stack, AIKO, { outbox });
    const room = after.room(ROOM);
    await room.open();
    await waitUntil([after], "everything is sent", () => items.size === 0 && room.outgoing.length === 0);
    const log = await serverLog(after, ROOM);
    expect(log.map(({ message }) => message).filter((text) => text.startsWith("line"))).toEqual(texts);
  });

  it("converges on the log despite faults", {
    timeout: 1_200_000,
  }, async () => {
    const stack = await startStack({
      seed: 9,
      dynamodb: { throttled: 0.01, failed_before: 0.01, failed_after: 0.01, conflict: 0.03 },
      lambda: { killed: { probability: 0.01, least_ms: 0, most_ms: 30 } },
      streams: {
        doubled: { probability: 0.1, least_ms: 0, most_ms: 500 },
        split: { probability: 0.1, least_ms: 0, most_ms: 500 },
        late: { probability: 0.05, least_ms: 50, most_ms: 400 },
        parallel: 0.1,
      },
      pushes: {
        gone: 0.01,
        throttled: 0.05,
        failed: 0.02,
        lost_answer: 0.02,
        slow: { probability: 0.05, least_ms: 5, most_ms: 300 },
      },
      connections: { cut: 0.01, disconnect_never: 0.1, disconnect_twice: 0.1 },
    });
    const clients = [AIKO, AIKO, MINJUN, SEOYEON].map((claims) =>
      connectClient(stack, claims, { tokenLifetimeSeconds: 6, timing: { ...FAST_TIMING, replyTimeoutMs: 3_000 } }),
    );
    const lobby = "open:lobby";
    const openedBefore = CountedSocket.opened;
    const received = new Map<Client, Map<string, number[]>>();
    for (const client of clients) {
      const heard = new Map([ROOM, lobby].map((roomId) => [roomId, [] as number[]]));
      received.set(client, heard);
      await Promise.all([ROOM, lobby].map((roomId) => client.room(roomId).open()));
      for (const [roomId, seqs] of heard) seqs.push(...client.room(roomId).messages.map(({ seq }) => seq));
      client.on("message", ({ room_id: roomId, seq }) => heard.get(roomId)?.push(seq));
    }

    // A message is set aside after a few attempts. A user would then send it again, after those written later.
    const setAside = new Set<string>();
    for (const client of clients) {
      client.on("room", (roomId) => {
        for (const { messageId, state } of client.room(roomId).outgoing) {
          if (state !== "failed") continue;
          setAside.add(messageId);
          client.room(roomId).retry(messageId);
        }
      });
    }
    const written: { roomId: string; messageId: string; client: Client }[] = [];
    for (const [who, client] of clients.entries()) {
      for (const roomId of [ROOM, lobby]) {
        for (let index = 0; index < 30; index += 1) {
          // In the letters of their languages, which the server would not believe otherwise.
          const { outgoing } = client.send(roomId, `${who < 2 ? "こんにちは" : "안녕하세요"} ${who}-${index}`);
          written.push({ roomId, messageId: outgoing.messageId, client });
        }
      }
    }
    await waitUntil(clients, "everything is sent", () => clients.every(({ outgoing }) => outgoing.length === 0));
    expect(CountedSocket.opened - openedBefore, "connections were cut or replaced").toBeGreaterThan(clients.length);

    for (const roomId of [ROOM, lobby]) {
      const log = await serverLog(clients[0]!, roomId);
      expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
      const ids = log.map(({ message_id: id }) => id);
      for (const client of clients) {
        const own = written
          .filter((message) => message.roomId === roomId && message.client === client)
          .map(({ messageId }) => messageId);
        const logged = ids.filter((id) => own.includes(id));
        expect([...logged].sort(), "each once").toEqual([...own].sort());
        const inOrder = (all: string[]) => all.filter((id) => !setAside.has(id));
        expect(inOrder(logged), "in the order in which they were sent").toEqual(inOrder(own));

        const room = client.room(roomId);
        await waitUntil([client], `${roomId} is complete`, () => room.messages.at(-1)?.seq === log.length);
        while (room.hasOlder) await room.loadOlder(100);
        expect(room.messages.map(withoutTranslations)).toEqual(log.map(withoutTranslations));
        expect(room.outgoing).toEqual([]);
        const heard = received.get(client)!.get(roomId)!;
        expect(heard).toEqual(log.map(({ seq }) => seq).filter((seq) => seq >= heard[0]!));
        const outdated = async () => {
          const now = await serverLog(client, roomId);
          return now
            .filter(({ translations }, index) => !isDeepStrictEqual(translations, room.messages[index]?.translations))
            .map(({ seq }) => seq);
        };
        await expect.poll(outdated, { timeout: 300_000, interval: 500 }).toEqual([]);
      }
    }
  });
});
