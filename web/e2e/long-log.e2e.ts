import type { Page, WebSocketRoute } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Environment, send, startEnvironment, until } from "./environment.ts";

const MESSAGES = 5_000;
const ROOM = "direct:hana:minsu";
const HANA = { participant: "user:hana", user_id: "hana", name: "하나" };
const MINSU = { participant: "user:minsu", user_id: "minsu", name: "민수" };

let env: Environment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

/**
 * A log that would take the backend minutes to fill, answered from here: what is tried is the page, and the story below tries
 * the same with the backend's own answers. Returns how to let
 * somebody say something.
 */
async function longLog(page: Page): Promise<(text: string) => void> {
  const sockets = new Set<WebSocketRoute>();
  const message = (
    seq: number,
    text = `${seq}번째 메시지입니다. ${"길이가 제각각인 글입니다. ".repeat(seq % 6)}`,
    sender = seq % 3 === 0 ? HANA : MINSU,
  ) => ({
    room_id: ROOM,
    seq,
    message_id: `m${seq}`,
    kind: "text",
    sender,
    message: text,
    language: "ko",
    sent_at: Date.now() - (MESSAGES - seq) * 90_000,
    translations: {},
    reply_to: null,
  });
  const log = Array.from({ length: MESSAGES }, (_, index) => message(index + 1));
  const room = () => ({
    room_id: ROOM,
    kind: "direct",
    name: null,
    status: "waiting",
    last_seq: log.length,
    last_read_seq: log.length,
    unread_count: 0,
    members: [HANA, MINSU].map(({ participant, name }) => ({ participant, name, role: "member", language: "ko" })),
    member_count: 2,
    last_message: {
      seq: log.length,
      message: log.at(-1)?.message,
      sender: log.at(-1)?.sender,
      sent_at: log.at(-1)?.sent_at,
    },
    updated_at: Date.now(),
  });
  const answer = (frame: Record<string, unknown>): object => {
    switch (frame.action) {
      case "getRoomList":
        return { rooms: [room()] };
      case "joinGroup":
        return { room: room() };
      case "getChatHistory": {
        const end = Number(frame.before_seq ?? log.length + 1) - 1;
        const from = Math.max(0, end - Number(frame.limit ?? 30));
        return { room_id: ROOM, messages: log.slice(from, end), has_more: from > 0, next: { before_seq: from + 1 } };
      }
      case "sendMessage":
        log.push(message(log.length + 1, String(frame.message), HANA));
        return {
          room_id: ROOM,
          seq: log.length,
          message_id: frame.message_id,
          sent_at: Date.now(),
          duplicate: false,
        };
      case "markRead":
        return { room_id: ROOM, last_read_seq: frame.seq, unread_count: 0 };
      default:
        return { rooms: [] };
    }
  };
  await page.routeWebSocket(/./, (socket) => {
    sockets.add(socket);
    socket.onMessage((data) => {
      const frame = JSON.parse(String(data)) as Record<string, unknown>;
      socket.send(
        JSON.stringify({ type: "reply", action: frame.action, request_id: frame.request_id, ...answer(frame) }),
      );
    });
  });
  return (text) => {
    log.push(message(log.length + 1, text, MINSU));
    for (const socket of sockets) socket.send(JSON.stringify({ type: "message", ...log.at(-1) }));
  };
}

/** Where the first entry of the visible part stands. */
const placeOf = (page: Page) =>
  page.evaluate(() => {
    const log = document.querySelector(".log")!;
    const top = log.getBoundingClientRect().top;
    const entry = [...log.querySelectorAll<HTMLElement>(".entry")].find(
      (each) => each.getBoundingClientRect().bottom > top + 1,
    );
    return { seq: entry?.dataset.seq, offset: Math.round((entry?.getBoundingClientRect().top ?? 0) - top) };
  });

test(`${MESSAGES} messages scroll, older ones come without a jump, and new ones do not pull`, {
  timeout: 300_000,
}, async () => {
  const context = await env.browser.newContext({ locale: "ko-KR", viewport: { width: 1100, height: 800 } });
  const page = await context.newPage();
  const minsuSays = await longLog(page);
  const token = env.backend.token({ sub: "hana", name: "하나", language: "ko" });
  await page.goto(`${env.address}#url=ws://127.0.0.1:9/dev&token=${token}`);
  await page.locator(".room-row").first().click();
  await page.locator(".entry").first().waitFor();
  await until("it begins at the end", () =>
    page.evaluate(() => {
      const log = document.querySelector(".log")!;
      return log.scrollHeight - log.scrollTop - log.clientHeight < 2;
    }),
  );

  // Near the beginning of what is loaded, a page of older ones comes; what is on the screen stays where it is.
  for (let pages = 0; pages < 5; pages += 1) {
    const loaded = await page.locator(".entry").count();
    const place = await page.evaluate(() => {
      const log = document.querySelector(".log")!;
      log.scrollTop = 300;
      const top = log.getBoundingClientRect().top;
      const entry = [...log.querySelectorAll<HTMLElement>(".entry")].find(
        (each) => each.getBoundingClientRect().bottom > top + 1,
      )!;
      return { seq: entry.dataset.seq, offset: Math.round(entry.getBoundingClientRect().top - top) };
    });
    await until("older ones come", async () => (await page.locator(".entry").count()) > loaded);
    const now = await placeOf(page);
    expect(now.seq, "older messages push nothing away").toBe(place.seq);
    // Scrolling knows whole pixels only.
    expect(Math.abs(now.offset - place.offset)).toBeLessThanOrEqual(1);
    await until("nothing is loading", async () => (await page.locator('.log[aria-busy="true"]').count()) === 0);
  }
  const before = await placeOf(page);
  minsuSays("새로 온 메시지");
  await page.getByRole("button", { name: "새 메시지 1개" }).waitFor();
  expect(await placeOf(page), "who reads further up stays there").toEqual(before);

  // All of it.
  await page.evaluate(() => {
    const log = document.querySelector(".log")!;
    const watch = { jumps: 0, longest: 0, done: false };
    (window as unknown as { watch: typeof watch }).watch = watch;
    let last = performance.now();
    const step = () => {
      const now = performance.now();
      watch.longest = Math.max(watch.longest, now - last);
      last = now;
      log.scrollTop = 0;
      watch.done = !document.querySelector(".log-start button");
      if (!watch.done) requestAnimationFrame(step);
    };
    step();
  });
  await until(
    "the beginning is reached",
    () => page.evaluate(() => (window as unknown as { watch: { done: boolean } }).watch.done),
    300_000,
  );
  const all = await page.locator(".entry").count();
  expect(all).toBe(MESSAGES + 1);

  // Through all of it, a screen at a time: how long do frames take, and does a drawn piece have the height it was said to have?
  const tour = await page.evaluate(async () => {
    const log = document.querySelector<HTMLElement>(".log")!;
    const height = log.scrollHeight;
    const frames: number[] = [];
    log.scrollTop = 0;
    let last = performance.now();
    while (log.scrollTop + log.clientHeight < log.scrollHeight - 2) {
      log.scrollTop += log.clientHeight;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      frames.push(now - last);
      last = now;
    }
    frames.sort((a, b) => a - b);
    const memory = (performance as unknown as { memory?: { usedJSHeapSize: number } }).memory?.usedJSHeapSize ?? 0;
    return {
      grew: log.scrollHeight - height,
      screens: frames.length,
      median: frames[frames.length >> 1] ?? 0,
      p99: frames[Math.floor(frames.length * 0.99)] ?? 0,
      nodes: document.querySelectorAll("*").length,
      megabytes: Math.round(memory / 1e6),
    };
  });
  console.log("the tour through the log:", JSON.stringify(tour));
  expect(Math.abs(tour.grew), "what is skipped is as high as what is drawn").toBeLessThan(4);
  expect(tour.median, "milliseconds for a frame").toBeLessThan(50);

  // Writing is as quick as in a short log.
  await page.locator(".composer textarea").focus();
  const start = Date.now();
  await page.keyboard.insertText("끝");
  await page.keyboard.press("Enter");
  await page.locator(".entry", { hasText: /^끝/ }).last().waitFor();
  console.log("a message is on the screen after", Date.now() - start, "ms");
});

test("a log that the backend keeps is read to its beginning, and nothing of it is missing or stands there twice", {
  timeout: 180_000,
}, async () => {
  const group = "open:ward-7";
  const people = Array.from({ length: 6 }, (_, index) =>
    env.backend.token({ sub: `nurse${index}`, name: `간호사 ${index}`, language: "ko" }),
  );
  const { page } = await env.enter(people[0] ?? "");
  const lines = 20;
  await Promise.all(
    people.map((token, who) =>
      send(page, env.backend.url, token, [
        { action: "joinGroup", group_id: group },
        ...Array.from({ length: lines }, (_, line) => ({
          action: "sendMessage",
          room_id: group,
          message: `${who}번 간호사의 ${line}번째 말 ${"길이가 제각각인 글입니다. ".repeat(line % 5)}`,
        })),
      ]),
    ),
  );
  await page.reload();
  await page.locator(".room-row").first().click();
  await page.locator(".entry").first().waitFor();
  await until(
    "the beginning is reached",
    async () => {
      await page.locator(".log").evaluate((log) => log.scrollTo({ top: 0 }));
      return page.getByText("The conversation begins here.").isVisible();
    },
    60_000,
  );
  const seqs = await page
    .locator(".log [data-seq]")
    .evaluateAll((entries) => entries.map((each) => Number((each as HTMLElement).dataset.seq)));
  expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, index) => index + 1));
  const texts = (await page.locator(".entry .entry-text").allTextContents()).map((text) => text.trim());
  expect(new Set(texts).size).toBe(people.length * lines);
  expect(texts).toHaveLength(people.length * lines);
});
