import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Environment, entry, openRoom, say, sendRequests, startEnvironment, waitUntil } from "./environment.ts";

let env: Environment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

/** The accessible name or the text of the focused element. */
const focusedName = (page: Page) =>
  page.evaluate(() => {
    const { activeElement: element } = document;
    return element?.id && element instanceof HTMLTextAreaElement
      ? (element.labels[0]?.textContent ?? "")
      : (element?.getAttribute("aria-label") ?? element?.textContent ?? "");
  });
const waitForFocus = (page: Page, name: string | RegExp) =>
  waitUntil(`the focus is on ${name}`, async () => (await focusedName(page)).search(name) >= 0);

test("the room list is one tab stop", async () => {
  const { page } = await env.signIn(env.backend.staff);
  await sendRequests(page, env.backend.url, env.backend.token({ sub: "li", name: "李小龍", language: "zh-Hans" }), [
    { action: "createRoom", kind: "consult", hospital_id: "seoul-clinic" },
  ]);
  await waitUntil("both are in the list", async () => (await page.locator(".room-row").count()) === 2);
  expect(await page.locator('.room-row[tabindex="0"]').count()).toBe(1);
  await page.locator('.room-row[tabindex="0"]').focus();
  await page.keyboard.press("End");
  await waitForFocus(page, "愛子");
  expect(await page.locator('.room-row[tabindex="0"]').innerText()).toContain("愛子");
  await page.keyboard.press("Enter");
  await waitForFocus(page, "Message");
  await page.keyboard.press("Escape");
  await page.getByText("Choose a conversation").waitFor();
  await waitForFocus(page, "愛子");
});

test("a correction returns the focus", async () => {
  const { page: staff } = await env.signIn(env.backend.staff);
  const { page: patient } = await env.signIn(env.backend.patient);
  await openRoom(patient, "Seoul Clinic");
  await openRoom(staff, "愛子");
  await say(patient, "ありがとうございます");
  const correct = entry(staff, "감사합니다").getByRole("button", { name: "Correct" });
  await correct.focus();
  await staff.keyboard.press("Enter");
  await staff.getByRole("textbox", { name: "Translation into Korean" }).waitFor();
  await staff.keyboard.press("Escape");
  await waitForFocus(staff, "Correct");
  await staff.keyboard.press("Enter");
  await staff.getByRole("textbox", { name: "Translation into Korean" }).fill("정말 감사합니다");
  await staff.keyboard.press("Tab");
  await staff.keyboard.press("Tab");
  await staff.keyboard.press("Enter");
  await entry(staff, "정말 감사합니다").getByText("Corrected by").waitFor();
  await waitForFocus(staff, "Correct");
});

test("Back leaves the conversation, not the page", async () => {
  const { page } = await env.signIn(env.backend.patient, {
    viewport: { width: 390, height: 780 },
    hasTouch: true,
    isMobile: true,
  });
  await openRoom(page, "Seoul Clinic");
  await waitForFocus(page, "Seoul Clinic");
  await page.goBack();
  await page.locator(".conversation").waitFor({ state: "detached" });
  await waitForFocus(page, "Seoul Clinic");
  await openRoom(page, "Seoul Clinic");
  await page.getByRole("button", { name: "Back to the list" }).click();
  await page.locator(".conversation").waitFor({ state: "detached" });
  expect(await page.evaluate(() => [location.hash, JSON.stringify(history.state)])).toEqual(["", "null"]);
  await openRoom(page, "Seoul Clinic");
  await page.reload();
  await page.locator(".entry").first().waitFor();
  await page.goBack();
  await page.locator(".conversation").waitFor({ state: "detached" });
  await page.locator(".room-row").first().waitFor();
});

test("two panes close independently", async () => {
  const context = await env.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB" });
  const page = await context.newPage();
  await page.goto(env.pairLink([env.backend.patient, env.backend.staff]));
  const patient = page.locator('[data-person="aiko"]');
  const staff = page.locator('[data-person="minjun"]');
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
  expect(await staff.locator(".conversation").count(), "the other pane keeps its conversation").toBe(1);
  await staff.locator(".composer textarea").press("Escape");
  await staff.locator(".conversation").waitFor({ state: "detached" });
  expect(await patient.locator(".conversation").count(), "the first pane stays closed").toBe(0);
});

test("jumping to new messages focuses the log", async () => {
  const { page: staff } = await env.signIn(env.backend.staff);
  const { page: patient } = await env.signIn(env.backend.patient, { viewport: { width: 1100, height: 420 } });
  await openRoom(patient, "Seoul Clinic");
  await openRoom(staff, "愛子");
  for (const text of ["하나", "둘", "셋", "넷"]) await say(staff, text);
  await entry(patient, "넷").waitFor();
  await patient.locator(".log").focus();
  await patient.keyboard.press("Home");
  await patient.getByRole("button", { name: "To the newest message" }).waitFor();
  await say(staff, "다섯");
  await patient.getByRole("button", { name: "1 new message" }).press("Enter");
  await waitForFocus(patient, /Conversation with/);
});

test("Enter that ends a composition sends nothing", async () => {
  const { page, context } = await env.signIn(env.backend.staff);
  await openRoom(page, "愛子");
  const field = page.getByRole("textbox", { name: "Message" });
  await field.focus();
  const keyboard = await context.newCDPSession(page);
  await keyboard.send("Input.imeSetComposition", { text: "안녕", selectionStart: 2, selectionEnd: 2 });
  // This is how a Korean keyboard reports the Enter that ends a composition.
  await keyboard.send("Input.dispatchKeyEvent", {
    type: "rawKeyDown",
    key: "Enter",
    code: "Enter",
    windowsVirtualKeyCode: 229,
  });
  expect(await field.inputValue(), "the text is still being composed").toBe("안녕");
  expect(await page.locator("[data-outgoing]").count()).toBe(0);
  await keyboard.send("Input.insertText", { text: "안녕하세요" });
  await field.press("Enter");
  await entry(page, "안녕하세요").waitFor();
  expect(await field.inputValue()).toBe("");
});
