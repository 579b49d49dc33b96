import { afterAll, beforeAll, expect, test } from "vitest";
import { type Environment, entry, openRoom, say, send, startEnvironment, until } from "./environment.ts";

let env: Environment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

test("the hospital wants translations on request, and both sides then ask for them", async () => {
  const staff = (await env.enter(env.backend.staff)).page;
  const patient = (await env.enter(env.backend.patient)).page;
  await openRoom(staff, "愛子");
  await openRoom(patient, "seoul-clinic");
  await staff.locator(".conversation").getByRole("button", { name: "Options" }).click();
  await staff.getByRole("radio", { name: /On request/ }).check();
  for (const page of [staff, patient])
    await page.locator(".conversation-title").getByText("Translation: On request").waitFor();
  await say(patient, "質問があります");
  const asked = entry(staff, "質問があります");
  await asked.getByRole("button", { name: "Translate" }).click();
  await asked.getByText("질문이 있습니다").waitFor();
  await asked.getByText("Machine translation").waitFor();
});

test("of wishes that follow each other faster than the server answers, the last one counts", async () => {
  const { page } = await env.enter(env.backend.staff);
  await openRoom(page, "愛子");
  await page.locator(".conversation").getByRole("button", { name: "Options" }).click();
  await page.getByRole("radio", { name: /On request/ }).check();
  await page.locator(".conversation-title").getByText("Translation: On request").waitFor();
  await page.getByRole("radio", { name: /On request/ }).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  expect(await page.getByRole("radio", { name: /Automatic/ }).isChecked()).toBe(true);
  await page.locator(".system-message", { hasText: "set the translation: Automatic" }).waitFor();
  await until(
    "the head says so",
    async () => (await page.locator(".conversation-title").getByText("Translation:").count()) === 0,
  );
});

test("a language that the machine does not know is said in plain words, and a person translates", async () => {
  const amani = env.backend.token({ sub: "amani", name: "Amani", language: "sw" });
  const patient = (await env.enter(amani)).page;
  await patient.getByRole("button", { name: "New consultation" }).click();
  await patient.getByRole("textbox", { name: "Hospital ID" }).fill("seoul-clinic");
  await patient.getByRole("button", { name: "Start", exact: true }).click();
  await patient.getByText("The conversation begins here.").waitFor();
  const staff = (await env.enter(env.backend.staff)).page;
  await staff.locator(".room-row", { hasText: "Amani" }).first().click();
  await say(staff, "어디가 아프세요?");
  for (const page of [patient, staff]) {
    await entry(page, "어디가 아프세요?").getByText("the service does not know this language").waitFor();
  }
  await entry(staff, "어디가 아프세요?").getByRole("button", { name: "Write a translation" }).click();
  await staff.getByRole("textbox", { name: "Translation into Swahili" }).fill("Unaumwa wapi?");
  await staff.getByRole("button", { name: "Save" }).click();
  await entry(patient, "Unaumwa wapi?").getByText("Corrected by").waitFor();
});

test("what is read in one tab is read in the other, and what is written in one stands in both", async () => {
  const patient = (await env.enter(env.backend.patient)).page;
  const { page: one, context } = await env.enter(env.backend.staff);
  const other = await context.newPage();
  await other.goto(`${env.address}#url=${encodeURIComponent(env.backend.url)}&token=${env.backend.staff}`);
  await other.locator(".room-row").first().waitFor();
  await openRoom(patient, "seoul-clinic");
  await one.locator(".room-row", { hasText: "愛子" }).waitFor();
  await say(patient, "助けてください");
  await other.locator(".room-row", { hasText: "愛子" }).locator(".unread-count").waitFor();
  await openRoom(one, "愛子");
  await until(
    "the other tab knows",
    async () => (await other.locator(".room-row", { hasText: "愛子" }).locator(".unread-count").count()) === 0,
  );
  await say(one, "알겠습니다");
  await openRoom(other, "愛子");
  await entry(other, "알겠습니다").waitFor();
});

test("language, theme and what comes first are remembered", async () => {
  const { page } = await env.enter(env.backend.staff);
  await page.locator(".rooms").getByRole("button", { name: "Options" }).click();
  await page.getByRole("combobox", { name: "Appearance" }).selectOption("dark");
  await page.getByRole("combobox", { name: "Language" }).selectOption("ko");
  await page.keyboard.press("Escape");
  await openRoom(page, "愛子");
  await page.locator(".conversation").getByRole("button", { name: "설정" }).click();
  await page.getByRole("combobox", { name: "먼저 보기" }).selectOption("original");
  await page.reload();
  await page.locator('html[data-theme="dark"][lang="ko"]').waitFor();
  const first = entry(page, "こんにちは。予約したいです。");
  await first.waitFor();
  expect(await first.locator(".entry-text").allInnerTexts()).toEqual([
    "こんにちは。予約したいです。",
    "안녕하세요. 예약하고 싶어요.",
  ]);
});

test("search goes to what it found", async () => {
  const { page } = await env.enter(env.backend.staff);
  await openRoom(page, "愛子");
  await page.keyboard.press("Tab");
  await page.getByRole("button", { name: "Search in this conversation" }).click();
  await page.getByRole("searchbox", { name: "Search texts and translations" }).fill("예약");
  await page.keyboard.press("Enter");
  await page.locator(".search-results button").first().click();
  await page.locator(".entry[data-highlighted]", { hasText: "こんにちは。予約したいです。" }).waitFor();
  await page.keyboard.press("Escape");
  await until("Escape closes the search", async () => (await page.locator(".search-panel").count()) === 0);
});

test("a message of one's own that was found is not hidden by the list of what was found", async () => {
  const { page } = await env.enter(env.backend.staff, { viewport: { width: 820, height: 900 } });
  await openRoom(page, "愛子");
  await say(page, "어디가 아프세요?");
  await entry(page, "어디가 아프세요?")
    .getByRole("img", { name: /Delivered|Read/ })
    .waitFor();
  await page.getByRole("button", { name: "Search in this conversation" }).click();
  await page.getByRole("searchbox", { name: "Search texts and translations" }).fill("아프세요");
  await page.keyboard.press("Enter");
  await page.locator(".search-results button").first().click();
  const found = page.locator(".entry[data-highlighted] .entry-text").first();
  await found.waitFor();
  const isOnTop = () =>
    found.evaluate((text) => {
      const { left, right, top, bottom } = text.getBoundingClientRect();
      return [left + 2, right - 2].every((x) => text.contains(document.elementFromPoint(x, (top + bottom) / 2)));
    });
  await until("all of it is to be seen", isOnTop);
});

test("Enter that ends a syllable does not send it", async () => {
  const { page, context } = await env.enter(env.backend.staff);
  await openRoom(page, "愛子");
  const field = page.getByRole("textbox", { name: "Message" });
  await field.focus();
  const keyboard = await context.newCDPSession(page);
  await keyboard.send("Input.imeSetComposition", { text: "안녕", selectionStart: 2, selectionEnd: 2 });
  // As a Korean keyboard reports the Enter that takes over what is composed.
  await keyboard.send("Input.dispatchKeyEvent", {
    type: "rawKeyDown",
    key: "Enter",
    code: "Enter",
    windowsVirtualKeyCode: 229,
  });
  expect(await field.inputValue(), "it is still being written").toBe("안녕");
  expect(await page.locator("[data-outgoing]").count()).toBe(0);
  await keyboard.send("Input.insertText", { text: "안녕하세요" });
  await field.press("Enter");
  await entry(page, "안녕하세요").waitFor();
  expect(await field.inputValue()).toBe("");
});

test("a patient far down the list is found by name", async () => {
  const { page } = await env.enter(env.backend.staff);
  const hospital = { action: "createRoom", kind: "consult", hospital_id: "seoul-clinic" };
  await send(page, env.backend.url, env.backend.token({ sub: "zainab", name: "Zainab", language: "en" }), [hospital]);
  const others = Array.from({ length: 30 }, (_, index) =>
    env.backend.token({ sub: `p${index}`, name: `Patient ${index}`, language: "en" }),
  );
  await Promise.all(others.map((token) => send(page, env.backend.url, token, [hospital])));
  await page.reload();
  await page.getByRole("button", { name: "Load more" }).waitFor();
  expect(await page.locator(".room-row", { hasText: "Zainab" }).count()).toBe(0);
  await page.getByRole("searchbox", { name: "Search conversations" }).fill("zainab");
  await page.locator(".room-row", { hasText: "Zainab" }).waitFor();
  await page.getByRole("searchbox", { name: "Search conversations" }).fill("nobody of this name");
  await page.getByText("Nothing found").waitFor();
});
