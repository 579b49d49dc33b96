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
/** Hours pass within seconds. */
const FAST_TIMING: Partial<Timing> = {
  initialRetryDelayMs: 50,
  maxRetryDelayMs: 1_000,
  replyTimeoutMs: 3_000,
  gapRepairDelayMs: 200,
  minHeartbeatIntervalMs: 1_000,
  maxHeartbeatIntervalMs: 2_000,
  minConnectionAgeMs: 4_000,
  maxConnectionAgeMs: 8_000,
  refreshBeforeExpiryMs: 2_000,
};

/** Counts the connections that the clients of a test make. */
class CountedSocket extends WebSocket {
  static made = 0;
  constructor(url: string, protocols: string[]) {
    super(url, protocols);
    CountedSocket.made += 1;
  }
}

const cleanups: { stop(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const running of cleanups.splice(0).reverse()) await running.stop();
});

async function stackWith(faults?: object): Promise<Stack> {
  const stack = await Stack.start(faults);
  cleanups.push(stack);
  return stack;
}

function clientOf(
  stack: Stack,
  claims: Record<string, unknown>,
  options: Partial<Options> & { seconds?: number } = {},
): DamsoClient {
  const client = new DamsoClient({
    url: stack.url,
    token: () => stack.token(claims, options.seconds),
    WebSocket: CountedSocket as unknown as Options["WebSocket"],
    timing: FAST_TIMING,
    ...options,
  });
  cleanups.push({ stop: () => client.close() });
  client.connect();
  return client;
}

/** The whole log, as the server has it. */
async function truth(client: Client, roomId: string): Promise<Message[]> {
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

const bare = ({ seq, message_id, kind, sender, message, language, reply_to, event }: Message) => ({
  seq,
  message_id,
  kind,
  sender,
  message,
  language,
  reply_to,
  event,
});

const skipped = process.env.DAMSO_DEV === undefined;

describe.skipIf(skipped)("against the real stack", () => {
  it("exchanges translated messages, corrections and read markers", {
    timeout: 60_000,
  }, async () => {
    const stack = await stackWith();
    const [aiko, minjun] = [clientOf(stack, AIKO), clientOf(stack, MINJUN)];
    const [hers, his] = [aiko.room(ROOM), minjun.room(ROOM)];
    await Promise.all([hers.open(), his.open()]);

    const { seq } = await aiko.send(ROOM, "頭が痛いです。").sent;
    await waitUntil(
      [minjun],
      "the translation is there",
      () => his.messages.at(-1)?.translations.ko?.text === "머리가 아파요.",
    );
    expect(aiko.me).toEqual({ participant: "user:aiko", user_id: "aiko", name: "愛子" });
    await waitUntil([aiko], "the sender has it too", () => hers.messages.at(-1)?.translations.ko?.status === "ok");
    expect(hers.messages.map(bare)).toEqual(his.messages.map(bare));

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

  it("sessions outlive tokens and connections until sign-out", {
    timeout: 60_000,
  }, async () => {
    const stack = await stackWith();
    let issued = 0;
    const token = () => {
      issued += 1;
      return stack.token(AIKO, 4);
    };
    const aiko = clientOf(stack, AIKO, { token });
    const elsewhere = clientOf(stack, AIKO);
    const minjun = clientOf(stack, MINJUN);
    await Promise.all([aiko, elsewhere, minjun].map((client) => client.room(ROOM).open()));
    const made = CountedSocket.made;
    // Tokens were refreshed and connections replaced.
    await expect.poll(() => issued > 5 && CountedSocket.made > made + 2, { timeout: 40_000 }).toBe(true);
    const { seq } = await minjun.send(ROOM, "언제부터 아프셨어요?").sent;
    await waitUntil([aiko], "she hears him", () => aiko.room(ROOM).messages.at(-1)?.seq === seq);

    await elsewhere.request("signOutEverywhere", {});
    await waitUntil([aiko, elsewhere], "both are signed out", () =>
      [aiko, elsewhere].every(({ state }) => state === "signed_out"),
    );
  });

  it("sends messages left by the previous page", { timeout: 60_000 }, async () => {
    const stack = await stackWith();
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
    const before = clientOf(stack, AIKO, { outbox });
    await before.room(ROOM).open();
    const texts = Array.from({ length: 5 }, (_, index) => `line ${index}`);
    const writing = texts.map((text) => before.send(ROOM, text).sent);
    await writing[1];
    before.close();
    const after = clientOf(stack, AIKO, { outbox });
    const room = after.room(ROOM);
    await room.open();
    await waitUntil([after], "all is sent", () => items.size === 0 && room.outgoing.length === 0);
    const log = await truth(after, ROOM);
    expect(log.map(({ message }) => message).filter((text) => text.startsWith("line"))).toEqual(texts);
  });

  it("all clients converge on the log despite faults", {
    timeout: 240_000,
  }, async () => {
    const stack = await stackWith({
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
    const clients = [AIKO, AIKO, MINJUN, SEOYEON].map((claims) => clientOf(stack, claims, { seconds: 6 }));
    const lobby = "open:lobby";
    const made = CountedSocket.made;
    const told = new Map<Client, Map<string, number[]>>();
    for (const client of clients) {
      const heard = new Map([ROOM, lobby].map((roomId) => [roomId, [] as number[]]));
      told.set(client, heard);
      await Promise.all([ROOM, lobby].map((roomId) => client.room(roomId).open()));
      for (const roomId of [ROOM, lobby])
        heard.get(roomId)!.push(...client.room(roomId).messages.map(({ seq }) => seq));
      client.on("message", ({ room_id: roomId, seq }) => heard.get(roomId)?.push(seq));
    }

    const written: { roomId: string; messageId: string; client: Client }[] = [];
    const sent = clients.flatMap((client, who) =>
      [ROOM, lobby].flatMap((roomId) =>
        Array.from({ length: 30 }, (_, index) => {
          const { outgoing, sent } = client.send(roomId, `${who} says ${index}`);
          written.push({ roomId, messageId: outgoing.messageId, client });
          return sent;
        }),
      ),
    );
    await Promise.all(sent);
    expect(CountedSocket.made - made, "connections were cut or replaced").toBeGreaterThan(clients.length);

    for (const roomId of [ROOM, lobby]) {
      const log = await truth(clients[0]!, roomId);
      expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
      const ids = log.map(({ message_id: id }) => id);
      for (const client of clients) {
        const own = written
          .filter((message) => message.roomId === roomId && message.client === client)
          .map(({ messageId }) => messageId);
        expect(
          ids.filter((id) => own.includes(id)),
          "each once, in the order in which they were written",
        ).toEqual(own);

        const room = client.room(roomId);
        await waitUntil([client], `all of ${roomId} is there`, () => room.messages.at(-1)?.seq === log.length);
        while (room.hasOlder) await room.loadOlder(100);
        expect(room.messages.map(bare)).toEqual(log.map(bare));
        expect(room.outgoing).toEqual([]);
        const heard = told.get(client)!.get(roomId)!;
        expect(heard).toEqual(log.map(({ seq }) => seq).filter((seq) => seq >= heard[0]!));
        const untold = async () => {
          const now = await truth(client, roomId);
          return now
            .filter(({ translations }, index) => !isDeepStrictEqual(translations, room.messages[index]?.translations))
            .map(({ seq }) => seq);
        };
        await expect.poll(untold, { timeout: 60_000, interval: 500 }).toEqual([]);
      }
    }
  });
});
