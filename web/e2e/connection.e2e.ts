import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Environment, entry, openRoom, say, startEnvironment, until } from "./environment.ts";

let env: Environment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

/** A network that can be cut: what is sent meanwhile is lost, nobody gets a new connection, and the browser says when it is back. */
async function cuttable(page: Page): Promise<{ cut: () => Promise<void>; mend: () => Promise<void> }> {
  let down = false;
  const open = new Set<() => Promise<void>>();
  await page.routeWebSocket(/./, (socket) => {
    if (down) return void socket.close({ code: 1001 });
    const server = socket.connectToServer();
    const cut = async () => {
      await socket.close({ code: 1001 });
      await server.close();
    };
    open.add(cut);
    socket.onMessage((message) => !down && server.send(message));
    server.onMessage((message) => !down && socket.send(message));
    socket.onClose(() => void open.delete(cut));
  });
  return {
    async cut() {
      down = true;
      for (const close of [...open]) await close();
      open.clear();
    },
    async mend() {
      down = false;
      await page.evaluate(() => window.dispatchEvent(new Event("online")));
    },
  };
}

async function enterCuttable(token: string) {
  const context = await env.browser.newContext({ locale: "en-GB", viewport: { width: 1100, height: 800 } });
  const page = await context.newPage();
  const network = await cuttable(page);
  await page.goto(`${env.address}#url=${encodeURIComponent(env.backend.url)}&token=${token}`);
  return { page, network };
}

/** Loads the page anew while there is no network; the page's files are on this machine. */
async function reloadOffline(page: Page): Promise<void> {
  await page.reload();
  await page.getByText("No connection. You can go on writing").waitFor();
}

test("who was away for a minute finds what the other wrote, and what they wrote themself is sent once", {
  timeout: 120_000,
}, async () => {
  const { page: patient, network } = await enterCuttable(env.backend.patient);
  const staff = (await env.enter(env.backend.staff)).page;
  await openRoom(patient, "seoul-clinic");
  await openRoom(staff, "愛子");

  await network.cut();
  const since = Date.now();
  await patient.getByText("No connection. You can go on writing").waitFor();
  await say(patient, "質問があります");
  await entry(patient, "質問があります")
    .getByRole("img", { name: /Waiting|Sending/ })
    .waitFor();
  const said: string[] = [];
  for (const text of ["안녕하세요", "어디가 아프세요?", "언제부터 그러셨어요?", "예약하셨나요?", "네, 말씀하세요"]) {
    await say(staff, text);
    await entry(staff, text).getByRole("img", { name: "Delivered" }).waitFor();
    said.push(text);
    // A fifth of the minute for each of them.
    await until("some of the minute is over", async () => Date.now() - since > said.length * 12_000, 20_000);
  }
  expect(await patient.locator(".entry", { hasText: "언제부터 그러셨어요?" }).count(), "nothing came meanwhile").toBe(
    0,
  );

  await network.mend();
  for (const text of said) await entry(patient, text).waitFor();
  await entry(staff, "質問があります").waitFor();
  await until("the notice is gone", async () => (await patient.locator(".connection-notice").count()) === 0);
  for (const page of [patient, staff]) {
    const texts = await page.locator(".entry").allInnerTexts();
    for (const text of [...said.slice(1), "質問があります"])
      expect(
        texts.filter((one) => one.includes(text)),
        text,
      ).toHaveLength(1);
  }
});

test("a message outlives loading the page anew before it was sent", async () => {
  const { page: patient, network } = await enterCuttable(env.backend.patient);
  const staff = (await env.enter(env.backend.staff)).page;
  await openRoom(patient, "seoul-clinic");
  await openRoom(staff, "愛子");
  await network.cut();
  await say(patient, "通訳が必要です");
  await patient.locator(".composer textarea").fill("まだ書いています");
  await patient.reload();
  await network.mend();
  await entry(staff, "通訳が必要です").waitFor();
  await entry(patient, "通訳が必要です")
    .getByRole("img", { name: /Delivered|Read/ })
    .waitFor();
  expect(await patient.locator(".composer textarea").inputValue(), "what was being written is still there").toBe(
    "まだ書いています",
  );
  expect(await staff.locator(".entry", { hasText: "通訳が必要です" }).count()).toBe(1);
});

test("who signs in again without a network loses nothing that they wrote", async () => {
  const { page: patient, network } = await enterCuttable(env.backend.patient);
  await openRoom(patient, "seoul-clinic");
  await network.cut();
  await say(patient, "予約を変えたいです");
  await say(patient, "明日は行けません");
  await patient.locator(".composer textarea").fill("それから");
  await reloadOffline(patient);
  await patient.setViewportSize({ width: 390, height: 780 });
  const notice = patient.locator(".connection-notice");
  const sentence = await notice.locator("p").boundingBox();
  expect(sentence?.width, "the sentence has room on a phone").toBeGreaterThan(250);
  await notice.getByRole("button", { name: "Sign in again" }).click();
  await patient.getByText("Your session has ended.").waitFor();
  await network.mend();
  await patient.getByRole("textbox", { name: "Address" }).fill(env.backend.url);
  await patient.getByLabel("Token").fill(env.backend.patient);
  await patient.getByRole("button", { name: "Sign in" }).click();
  for (const text of ["予約を変えたいです", "明日は行けません"]) {
    await entry(patient, text)
      .getByRole("img", { name: /Delivered|Read/ })
      .waitFor();
  }
  expect(await patient.locator(".composer textarea").inputValue()).toBe("それから");
});

test("signing out asks about what was not sent, and then leaves nothing behind", async () => {
  const { page: patient, network } = await enterCuttable(env.backend.patient);
  await openRoom(patient, "seoul-clinic");
  await network.cut();
  await patient.getByText("No connection. You can go on writing").waitFor();
  for (const text of ["一", "二", "三"]) await say(patient, text);
  await patient.locator(".rooms").getByRole("button", { name: "Options" }).click();
  expect(
    await patient.getByRole("button", { name: "Sign out on all devices" }).isDisabled(),
    "nobody can be asked",
  ).toBe(true);
  await patient.getByRole("button", { name: "Sign out", exact: true }).click();
  await patient.getByText("3 messages have not been sent.").waitFor();
  await patient.getByRole("button", { name: "Cancel" }).click();
  await patient.getByRole("button", { name: "Sign out", exact: true }).click();
  await patient.getByRole("button", { name: "Sign out", exact: true }).click();
  await patient.getByRole("textbox", { name: "Address" }).waitFor();
  expect(await patient.evaluate(() => Object.keys(sessionStorage))).toEqual([]);
});

test("who could not be signed out everywhere is told, and stays", async () => {
  const context = await env.browser.newContext({ locale: "en-GB", viewport: { width: 1100, height: 800 } });
  const page = await context.newPage();
  await page.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      const { action, request_id } = JSON.parse(String(text)) as { action: string; request_id: string };
      if (action !== "signOutEverywhere") return server.send(text);
      socket.send(
        JSON.stringify({ type: "error", action, request_id, code: "rate_limited", message: "", retry_after_ms: 1_000 }),
      );
    });
  });
  await page.goto(`${env.address}#url=${encodeURIComponent(env.backend.url)}&token=${env.backend.patient}`);
  await page.locator(".room-row").first().waitFor();
  await page.locator(".rooms").getByRole("button", { name: "Options" }).click();
  await page.getByRole("button", { name: "Sign out on all devices" }).click();
  await page.getByText("That did not work. You may still be signed in on your other devices.").waitFor();
  expect(await page.locator(".room-row").count()).toBeGreaterThan(0);
});

test("a server that is started anew is found again, and loses nothing", async () => {
  const patient = (await env.enter(env.backend.patient)).page;
  const staff = (await env.enter(env.backend.staff)).page;
  await openRoom(patient, "seoul-clinic");
  await openRoom(staff, "愛子");
  await env.backend.restart(async () => {
    await patient.getByText("No connection. You can go on writing").waitFor();
    await say(patient, "もしもし");
  });
  // Nothing tells the pages that it is back: they find it at their next tries, between which ever longer times lie.
  await entry(staff, "여보세요").waitFor({ timeout: 45_000 });
  await say(staff, "네, 말씀하세요");
  await entry(patient, "はい、どうぞ").waitFor();
});

test("a device whose clock is a day ahead signs nobody out", async () => {
  const token = env.backend.token({
    sub: "aiko",
    name: "愛子",
    language: "ja",
    exp: Math.floor(Date.now() / 1000) + 3_600,
  });
  const context = await env.browser.newContext({ locale: "en-GB", viewport: { width: 1100, height: 800 } });
  const page = await context.newPage();
  await page.clock.install({ time: Date.now() + 86_400_000 });
  await page.goto(`${env.address}#url=${encodeURIComponent(env.backend.url)}&token=${token}`);
  await openRoom(page, "seoul-clinic");
  await say(page, "時計が違います");
  await entry(page, "時計が違います").getByRole("img", { name: "Delivered" }).waitFor();
  expect(await page.locator(".connection-notice").count()).toBe(0);
});

test("a conversation that may not be opened again at once says so, and opens later", async () => {
  const context = await env.browser.newContext({ locale: "en-GB", viewport: { width: 1100, height: 800 } });
  const page = await context.newPage();
  let refusing = false;
  await page.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      const { action, request_id } = JSON.parse(String(text)) as { action: string; request_id: string };
      if (action !== "joinGroup" || !refusing) return server.send(text);
      socket.send(
        JSON.stringify({ type: "error", action, request_id, code: "rate_limited", message: "", retry_after_ms: 1_000 }),
      );
    });
  });
  await page.goto(`${env.address}#url=${encodeURIComponent(env.backend.url)}&token=${env.backend.patient}`);
  await openRoom(page, "seoul-clinic");
  await page.keyboard.press("Escape");
  refusing = true;
  await openRoom(page, "seoul-clinic");
  await page.getByText("Newer messages could not be loaded.").waitFor();
  refusing = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await until("it is loaded", async () => (await page.getByText("Newer messages could not be loaded.").count()) === 0);
});

test("what the other side has read is still read after loading the page anew", async () => {
  const patient = (await env.enter(env.backend.patient)).page;
  const staff = (await env.enter(env.backend.staff)).page;
  await openRoom(patient, "seoul-clinic");
  await say(patient, "お願いします");
  await openRoom(staff, "愛子");
  await entry(patient, "お願いします").getByRole("img", { name: "Read" }).waitFor();
  await patient.reload();
  await entry(patient, "お願いします").getByRole("img", { name: "Read" }).waitFor();
});

test("the same text again and again is held up, and the page says for how long", async () => {
  const patient = (await env.enter(env.backend.patient)).page;
  await openRoom(patient, "seoul-clinic");
  for (let time = 0; time < 4; time += 1) await say(patient, "助けてください");
  await patient.getByText(/You can write again in \d+ seconds?/).waitFor();
});

test("a session that ends leads to the sign-in form, which says so", async () => {
  const token = env.backend.token({
    sub: "brief",
    name: "Brief",
    language: "en",
    exp: Math.floor(Date.now() / 1000) + 8,
  });
  const { page } = await env.enter(token);
  await page.getByText("Your session ends in 1 min.").waitFor();
  await page.getByText("Your session has ended.").waitFor();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
});

test("signing out forgets the token", async () => {
  const { page } = await env.enter(env.backend.patient);
  await page.locator(".rooms").getByRole("button", { name: "Options" }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("textbox", { name: "Address" }).waitFor();
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
});
