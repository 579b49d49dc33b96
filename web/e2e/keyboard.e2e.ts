import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Environment, entry, openRoom, say, send, startEnvironment, until } from "./environment.ts";

let env: Environment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

/** What has the focus, by its accessible name or its text. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const { activeElement: element } = document;
    return element?.id && element instanceof HTMLTextAreaElement
      ? (element.labels[0]?.textContent ?? "")
      : (element?.getAttribute("aria-label") ?? element?.textContent ?? "");
  });
const becomesFocused = (page: Page, what: string | RegExp) =>
  until(`the focus is on ${what}`, async () => (await focused(page)).search(what) >= 0);

test("the list is one stop of the Tab key, and opening and leaving a conversation takes the focus along", async () => {
  const { page } = await env.enter(env.backend.staff);
  await send(page, env.backend.url, env.backend.token({ sub: "li", name: "李小龍", language: "zh-Hans" }), [
    { action: "createRoom", kind: "consult", hospital_id: "seoul-clinic" },
  ]);
  await until("both are in the list", async () => (await page.locator(".room-row").count()) === 2);
  expect(await page.locator('.room-row[tabindex="0"]').count()).toBe(1);
  await page.locator('.room-row[tabindex="0"]').focus();
  await page.keyboard.press("End");
  await becomesFocused(page, "愛子");
  expect(await page.locator('.room-row[tabindex="0"]').innerText()).toContain("愛子");
  await page.keyboard.press("Enter");
  await becomesFocused(page, "Message");
  await page.keyboard.press("Escape");
  await page.getByText("Choose a conversation").waitFor();
  await becomesFocused(page, "愛子");
});

test("a correction gives the focus back, whether it is saved or not", async () => {
  const staff = (await env.enter(env.backend.staff)).page;
  const patient = (await env.enter(env.backend.patient)).page;
  await openRoom(patient, "seoul-clinic");
  await openRoom(staff, "愛子");
  await say(patient, "ありがとうございます");
  const correct = entry(staff, "감사합니다").getByRole("button", { name: "Correct" });
  await correct.focus();
  await staff.keyboard.press("Enter");
  await staff.getByRole("textbox", { name: "Translation into Korean" }).waitFor();
  await staff.keyboard.press("Escape");
  await becomesFocused(staff, "Correct");
  await staff.keyboard.press("Enter");
  await staff.getByRole("textbox", { name: "Translation into Korean" }).fill("정말 감사합니다");
  await staff.keyboard.press("Tab");
  await staff.keyboard.press("Tab");
  await staff.keyboard.press("Enter");
  await entry(staff, "정말 감사합니다").getByText("Corrected by").waitFor();
  await becomesFocused(staff, "Correct");
});

test("on a phone the Back gesture leaves the conversation and not the page, and the address never holds the token", async () => {
  const { page } = await env.enter(env.backend.patient, {
    viewport: { width: 390, height: 780 },
    hasTouch: true,
    isMobile: true,
  });
  await openRoom(page, "seoul-clinic");
  await becomesFocused(page, "seoul-clinic");
  await page.goBack();
  await page.locator(".conversation").waitFor({ state: "detached" });
  await becomesFocused(page, "seoul-clinic");
  await openRoom(page, "seoul-clinic");
  await page.getByRole("button", { name: "Back to the list" }).click();
  await page.locator(".conversation").waitFor({ state: "detached" });
  expect(await page.evaluate(() => [location.hash, JSON.stringify(history.state)])).toEqual(["", "null"]);
  await openRoom(page, "seoul-clinic");
  await page.reload();
  await page.locator(".entry").first().waitFor();
  await page.goBack();
  await page.locator(".conversation").waitFor({ state: "detached" });
  await page.locator(".room-row").first().waitFor();
});

test("two panes side by side close their own conversations only", async () => {
  const people = [env.backend.patient, env.backend.staff].map((token) => ({ url: env.backend.url, token }));
  const context = await env.browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB" });
  const page = await context.newPage();
  await page.goto(`${env.address}#pair=${Buffer.from(JSON.stringify(people)).toString("base64url")}`);
  const [patient, staff] = [page.locator('[data-person="aiko"]'), page.locator('[data-person="minjun"]')];
  for (const pane of [patient, staff]) {
    await pane.locator(".entry").first().waitFor();
    await pane.locator(".composer textarea").press("Escape");
    await pane.locator(".empty-pane").waitFor({ state: "attached" });
  }
  await patient.locator(".room-row").first().click();
  await staff.locator(".room-row", { hasText: "愛子" }).click();
  await staff.locator(".entry").first().waitFor();
  await patient.locator(".composer textarea").press("Escape");
  await patient.locator(".conversation").waitFor({ state: "detached" });
  expect(await staff.locator(".conversation").count(), "the other one stays").toBe(1);
  await staff.locator(".composer textarea").press("Escape");
  await staff.locator(".conversation").waitFor({ state: "detached" });
  expect(await patient.locator(".conversation").count(), "the first one stays left").toBe(0);
});

test("the button that leads to new messages leaves the focus in the log", async () => {
  const staff = (await env.enter(env.backend.staff)).page;
  const patient = (await env.enter(env.backend.patient, { viewport: { width: 1100, height: 420 } })).page;
  await openRoom(patient, "seoul-clinic");
  await openRoom(staff, "愛子");
  for (const text of ["하나", "둘", "셋", "넷"]) await say(staff, text);
  await entry(patient, "넷").waitFor();
  await patient.locator(".log").focus();
  await patient.keyboard.press("Home");
  await patient.getByRole("button", { name: "To the newest message" }).waitFor();
  await say(staff, "다섯");
  await patient.getByRole("button", { name: "1 new message" }).press("Enter");
  await becomesFocused(patient, /Conversation with/);
});
