import type { Page, WebSocketRoute } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Environment, sendRequests, startEnvironment, waitUntil } from "./environment.ts";

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
 * Answers the page's requests from a log that would take minutes to write to the backend. Another test below reads a
 * log from the real one. Returns a function that appends a message by 민수.
 */
async function serveLongLog(page: Page): Promise<(text: string) => void> {
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

/** The first visible entry and its distance from the top of the log. */
const anchorOf = (page: Page) =>
  page.evaluate(() => {
    const log = document.querySelector(".log")!;
    const top = log.getBoundingClientRect().top;
    const entry = [...log.querySelectorAll<HTMLElement>(".entry")].find(
      (each) => each.getBoundingClientRect().bottom > top + 1,
    );
    return { seq: entry?.dataset.seq, offset: Math.round((entry?.getBoundingClientRect().top ?? 0) - top) };
  });

/** Reads the CPU time of the page's main thread, which does not depend on how busy the machine is. */
async function mainThreadClock(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  return async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")?.value ?? NaN;
  };
}

test(`${MESSAGES} messages scroll without jumps`, { timeout: 900_000 }, async () => {
  const context = await env.newContext({ locale: "ko-KR", viewport: { width: 1100, height: 800 } });
  const page = await context.newPage();
  const cpuSeconds = await mainThreadClock(page);
  const minsuSays = await serveLongLog(page);
  const token = env.backend.token({ sub: "hana", name: "하나", language: "ko" });
  await page.goto(`${env.address}#url=ws://127.0.0.1:9/dev&token=${token}`);
  await page.locator(".room-row").first().click();
  await page.locator(".entry").first().waitFor();
  await waitUntil("it opens at the end", () =>
    page.evaluate(() => {
      const log = document.querySelector(".log")!;
      return log.scrollHeight - log.scrollTop - log.clientHeight < 2;
    }),
  );

  // Scrolling up loads older pages, and what is on the screen does not move.
  for (let pages = 0; pages < 5; pages += 1) {
    const loaded = await page.locator(".entry").count();
    const before = await page.evaluate(() => {
      const log = document.querySelector(".log")!;
      log.scrollTop = 300;
      const top = log.getBoundingClientRect().top;
      const entry = [...log.querySelectorAll<HTMLElement>(".entry")].find(
        (each) => each.getBoundingClientRect().bottom > top + 1,
      )!;
      return { seq: entry.dataset.seq, offset: Math.round(entry.getBoundingClientRect().top - top) };
    });
    await waitUntil("an older page is loaded", async () => (await page.locator(".entry").count()) > loaded);
    const after = await anchorOf(page);
    expect(after.seq, "the first visible entry is the same").toBe(before.seq);
    // Scroll positions are whole pixels.
    expect(Math.abs(after.offset - before.offset)).toBeLessThanOrEqual(1);
    await waitUntil("nothing is loading", async () => (await page.locator('.log[aria-busy="true"]').count()) === 0);
  }
  const reading = await anchorOf(page);
  minsuSays("새로 온 메시지");
  await page.getByRole("button", { name: "새 메시지 1개" }).waitFor();
  expect(await anchorOf(page), "a new message does not move a reader further up").toEqual(reading);

  // Load the whole log.
  await page.evaluate(() => {
    const log = document.querySelector(".log")!;
    const scrollUp = () => {
      log.scrollTop = 0;
      if (document.querySelector(".log-start button")) requestAnimationFrame(scrollUp);
    };
    scrollUp();
  });
  await waitUntil(
    "the beginning is reached",
    async () => (await page.locator(".log-start button").count()) === 0,
    600_000,
  );
  expect(await page.locator(".entry").count()).toBe(MESSAGES + 1);

  // Scroll through it, one screen at a time. Skipped chunks must be as high as rendered ones, and a screen cheap.
  const cpuBefore = await cpuSeconds();
  const tour = await page.evaluate(async () => {
    const log = document.querySelector<HTMLElement>(".log")!;
    const height = log.scrollHeight;
    let screens = 0;
    log.scrollTop = 0;
    while (log.scrollTop + log.clientHeight < log.scrollHeight - 2) {
      log.scrollTop += log.clientHeight;
      await new Promise(requestAnimationFrame);
      screens += 1;
    }
    return { growth: log.scrollHeight - height, screens };
  });
  const cpuMsPerScreen = (1_000 * ((await cpuSeconds()) - cpuBefore)) / tour.screens;
  console.log(`${tour.screens} screens, ${cpuMsPerScreen.toFixed(1)} ms of CPU time each`);
  expect(Math.abs(tour.growth), "skipped chunks are as high as rendered ones").toBeLessThan(4);
  expect(cpuMsPerScreen, "CPU milliseconds per screen").toBeLessThan(50);

  // A message can still be sent.
  await page.locator(".composer textarea").focus();
  await page.keyboard.insertText("끝");
  await page.keyboard.press("Enter");
  await page.locator(".entry", { hasText: /^끝/ }).last().waitFor();
});

test("a long log loads completely, without duplicates", {
  timeout: 600_000,
}, async () => {
  const group = "open:ward-7";
  const people = Array.from({ length: 6 }, (_, index) =>
    env.backend.token({ sub: `nurse${index}`, name: `간호사 ${index}`, language: "ko" }),
  );
  const { page } = await env.signIn(people[0] ?? "");
  const lines = 20;
  await Promise.all(
    people.map((token, nurse) =>
      sendRequests(page, env.backend.url, token, [
        { action: "joinGroup", group_id: group },
        ...Array.from({ length: lines }, (_, line) => ({
          action: "sendMessage",
          room_id: group,
          message: `${nurse}번 간호사의 ${line}번째 말 ${"길이가 제각각인 글입니다. ".repeat(line % 5)}`,
        })),
      ]),
    ),
  );
  await page.reload();
  await page.locator(".room-row").first().click();
  await page.locator(".entry").first().waitFor();
  await waitUntil("the beginning is reached", async () => {
    await page.locator(".log").evaluate((log) => log.scrollTo({ top: 0 }));
    return page.getByText("The conversation begins here.").isVisible();
  });
  const seqs = await page
    .locator(".log [data-seq]")
    .evaluateAll((entries) => entries.map((each) => Number((each as HTMLElement).dataset.seq)));
  expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, index) => index + 1));
  const texts = (await page.locator(".entry .entry-text").allTextContents()).map((text) => text.trim());
  expect(new Set(texts).size).toBe(people.length * lines);
  expect(texts).toHaveLength(people.length * lines);
});
