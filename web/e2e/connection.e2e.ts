import { afterAll, beforeAll, expect, test } from "vitest";
import { type Environment, entry, openRoom, say, startEnvironment, waitUntil } from "./environment.ts";
import { RATE_LIMITED, refuseRequests, reloadOffline, signInWithNetwork } from "./network.ts";

let env: Environment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

test("a minute offline loses and duplicates nothing", async () => {
  const { page: patient, network } = await signInWithNetwork(env, env.backend.patient);
  const { page: staff } = await env.signIn(env.backend.staff);
  await openRoom(patient, "Seoul Clinic");
  await openRoom(staff, "愛子");

  await network.cut();
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
    // A fifth of the minute for each message.
    await patient.clock.fastForward(12_000);
  }
  const arrived = await patient.locator(".entry", { hasText: "언제부터 그러셨어요?" }).count();
  expect(arrived, "nothing arrives while offline").toBe(0);

  await network.restore();
  for (const text of said) await entry(patient, text).waitFor();
  await entry(staff, "質問があります").waitFor();
  await waitUntil("the notice is gone", async () => (await patient.locator(".connection-notice").count()) === 0);
  for (const page of [patient, staff]) {
    const texts = await page.locator(".entry").allInnerTexts();
    for (const text of [...said.slice(1), "質問があります"]) {
      const matches = texts.filter((entryText) => entryText.includes(text));
      expect(matches, text).toHaveLength(1);
    }
  }
});

test("a message survives a reload while offline", async () => {
  const { page: patient, network } = await signInWithNetwork(env, env.backend.patient);
  const { page: staff } = await env.signIn(env.backend.staff);
  await openRoom(patient, "Seoul Clinic");
  await openRoom(staff, "愛子");
  await network.cut();
  await say(patient, "通訳が必要です");
  await patient.locator(".composer textarea").fill("まだ書いています");
  await patient.reload();
  await network.restore();
  await entry(staff, "通訳が必要です").waitFor();
  await entry(patient, "通訳が必要です")
    .getByRole("img", { name: /Delivered|Read/ })
    .waitFor();
  expect(await patient.locator(".composer textarea").inputValue(), "the draft is kept").toBe("まだ書いています");
  expect(await staff.locator(".entry", { hasText: "通訳が必要です" }).count()).toBe(1);
});

test("signing in again offline keeps messages", async () => {
  const { page: patient, network } = await signInWithNetwork(env, env.backend.patient);
  await openRoom(patient, "Seoul Clinic");
  await network.cut();
  await say(patient, "予約を変えたいです");
  await say(patient, "明日は行けません");
  await patient.locator(".composer textarea").fill("それから");
  await reloadOffline(patient);
  await patient.setViewportSize({ width: 390, height: 780 });
  const notice = patient.locator(".connection-notice");
  const sentence = await notice.locator("p").boundingBox();
  expect(sentence?.width, "the text has enough space on a phone").toBeGreaterThan(250);
  await notice.getByRole("button", { name: "Sign in again" }).click();
  await patient.getByText("Your session has ended.").waitFor();
  await network.restore();
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

test("signing out warns about unsent messages", async () => {
  const { page: patient, network } = await signInWithNetwork(env, env.backend.patient);
  await openRoom(patient, "Seoul Clinic");
  await network.cut();
  await patient.getByText("No connection. You can go on writing").waitFor();
  for (const text of ["一", "二", "三"]) await say(patient, text);
  await patient.locator(".rooms").getByRole("button", { name: "Options" }).click();
  expect(
    await patient.getByRole("button", { name: "Sign out on all devices" }).isDisabled(),
    "needs a connection",
  ).toBe(true);
  await patient.getByRole("button", { name: "Sign out", exact: true }).click();
  await patient.getByText("3 messages have not been sent.").waitFor();
  await patient.getByRole("button", { name: "Cancel" }).click();
  await patient.getByRole("button", { name: "Sign out", exact: true }).click();
  await patient.getByRole("button", { name: "Sign out", exact: true }).click();
  await patient.getByRole("textbox", { name: "Address" }).waitFor();
  expect(await patient.evaluate(() => Object.keys(sessionStorage))).toEqual([]);
});

test("a failed sign-out on all devices is reported", async () => {
  const context = await env.newContext();
  const page = await context.newPage();
  await refuseRequests(page, ({ action }) => (action === "signOutEverywhere" ? RATE_LIMITED : null));
  await page.goto(env.signInLink(env.backend.patient));
  await page.locator(".room-row").first().waitFor();
  await page.locator(".rooms").getByRole("button", { name: "Options" }).click();
  await page.getByRole("button", { name: "Sign out on all devices" }).click();
  await page.getByText("That did not work. You may still be signed in on your other devices.").waitFor();
  expect(await page.locator(".room-row").count()).toBeGreaterThan(0);
});

test("a silent connection is replaced within a minute", async () => {
  const { page: patient, network } = await signInWithNetwork(env, env.backend.patient);
  const { page: staff } = await env.signIn(env.backend.staff);
  await openRoom(patient, "Seoul Clinic");
  await openRoom(staff, "愛子");
  // What was sent before has been answered, so that only silence follows.
  await entry(patient, "こんにちは。予約したいです。").waitFor();
  network.silence();
  await say(staff, "지금 병원으로 오세요");
  await entry(staff, "지금 병원으로 오세요").getByRole("img", { name: "Delivered" }).waitFor();
  expect(await patient.locator(".entry", { hasText: "지금 병원으로 오세요" }).count()).toBe(0);
  // The longest silence before a probe, and the time that it has.
  await patient.clock.fastForward(36_000);
  await patient.clock.fastForward(10_000);
  await entry(patient, "지금 병원으로 오세요").waitFor();
});

test("a message on a silent connection arrives soon", async () => {
  const { page: patient, network } = await signInWithNetwork(env, env.backend.patient);
  const { page: staff } = await env.signIn(env.backend.staff);
  await openRoom(patient, "Seoul Clinic");
  await openRoom(staff, "愛子");
  network.silence();
  await say(patient, "救急車を呼んでください");
  await patient.clock.fastForward(4_000);
  await patient.clock.fastForward(10_000);
  await entry(staff, "救急車を呼んでください").waitFor();
});

test("an evicted page comes back only when it is told to", async () => {
  const { page: patient } = await env.signIn(env.backend.patient);
  await openRoom(patient, "Seoul Clinic");
  const other = await (await env.newContext()).newPage();
  await other.goto(env.address);
  const opened = await other.evaluate(
    async ([url, token]) => {
      let count = 0;
      const evictMe = () =>
        new Promise<void>((resolve, reject) => {
          const socket = new WebSocket(url, ["damso.v1", `bearer.${token}`]);
          socket.onopen = () => {
            count += 1;
            resolve();
          };
          socket.onerror = () => reject(new Error("no connection"));
        });
      // The default of the parameter MaxConnections.
      while (count < 20) await evictMe();
      return count;
    },
    [env.backend.url, env.backend.patient] as const,
  );
  expect(opened).toBe(20);
  await patient.getByText("Opened on another screen").waitFor();
  await patient.evaluate(() => {
    window.dispatchEvent(new Event("online"));
    window.dispatchEvent(new Event("focus"));
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await say(patient, "こちらで続けます");
  await entry(patient, "こちらで続けます").getByRole("button", { name: "Discard" }).waitFor();
  expect(await patient.locator(".connection-notice").getByRole("button").allInnerTexts()).toEqual(["Use here"]);
  await patient.getByRole("button", { name: "Use here" }).click();
  await entry(patient, "こちらで続けます")
    .getByRole("img", { name: /Delivered|Read/ })
    .waitFor();
  expect(await patient.locator(".connection-notice").count()).toBe(0);
});

test("a restarted server is found again", async () => {
  const { page: patient } = await env.signIn(env.backend.patient);
  const { page: staff } = await env.signIn(env.backend.staff);
  await openRoom(patient, "Seoul Clinic");
  await openRoom(staff, "愛子");
  await env.backend.restart(async () => {
    await patient.getByText("No connection. You can go on writing").waitFor();
    await say(patient, "もしもし");
  });
  // The pages are not told that it is back. They find it with their next attempts, which are further and further apart.
  await entry(staff, "여보세요").waitFor();
  await say(staff, "네, 말씀하세요");
  await entry(patient, "はい、どうぞ").waitFor();
});

test("a wrong device clock signs nobody out", async () => {
  const token = env.backend.token({
    sub: "aiko",
    name: "愛子",
    language: "ja",
    exp: Math.floor(Date.now() / 1000) + 3_600,
  });
  const context = await env.newContext();
  const page = await context.newPage();
  await page.clock.install({ time: Date.now() + 86_400_000 });
  await page.goto(env.signInLink(token));
  await openRoom(page, "Seoul Clinic");
  await say(page, "時計が違います");
  await entry(page, "時計が違います").getByRole("img", { name: "Delivered" }).waitFor();
  expect(await page.locator(".connection-notice").count()).toBe(0);
});

test("a conversation that failed to load can be retried", async () => {
  const context = await env.newContext();
  const page = await context.newPage();
  let refusing = false;
  await refuseRequests(page, ({ action }) => (refusing && action === "joinGroup" ? RATE_LIMITED : null));
  await page.goto(env.signInLink(env.backend.patient));
  await openRoom(page, "Seoul Clinic");
  await page.keyboard.press("Escape");
  refusing = true;
  await openRoom(page, "Seoul Clinic");
  await page.getByText("Newer messages could not be loaded.").waitFor();
  refusing = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await waitUntil(
    "it is loaded",
    async () => (await page.getByText("Newer messages could not be loaded.").count()) === 0,
  );
});

test("read receipts survive a reload", async () => {
  const { page: patient } = await env.signIn(env.backend.patient);
  const { page: staff } = await env.signIn(env.backend.staff);
  await openRoom(patient, "Seoul Clinic");
  await say(patient, "お願いします");
  await openRoom(staff, "愛子");
  await entry(patient, "お願いします").getByRole("img", { name: "Read" }).waitFor();
  await patient.reload();
  await entry(patient, "お願いします").getByRole("img", { name: "Read" }).waitFor();
});

test("a rate limit shows how long to wait", async () => {
  const { page: patient } = await env.signIn(env.backend.patient);
  await openRoom(patient, "Seoul Clinic");
  for (let time = 0; time < 4; time += 1) await say(patient, "助けてください");
  await patient.getByText(/You can write again in \d+ seconds?/).waitFor();
});

test("an expired session leads to the sign-in form", async () => {
  const signInFor = async (seconds: number) => {
    const exp = Math.floor(Date.now() / 1000) + seconds;
    return env.signIn(env.backend.token({ sub: "brief", name: "Brief", language: "en", exp }));
  };
  // On a busy machine, the page may take longer to connect than a short-lived token lasts. Then try a longer one.
  for (let seconds = 8; ; seconds *= 2) {
    const { page } = await signInFor(seconds);
    const ending = page.getByText(/Your session ends in \d+ min/);
    const ended = page.getByText(/your session has ended/i);
    await ending.or(ended).first().waitFor();
    if (!(await ending.isVisible())) continue;
    await page.getByText("Your session has ended. Sign in again to go on").waitFor();
    await page.getByRole("textbox", { name: "Address" }).waitFor();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    return;
  }
});

test("signing out forgets the token", async () => {
  const { page } = await env.signIn(env.backend.patient);
  await page.locator(".rooms").getByRole("button", { name: "Options" }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("textbox", { name: "Address" }).waitFor();
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
});
