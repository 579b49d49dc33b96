import { afterAll, beforeAll, expect, test } from "vitest";
import { type Environment, entry, openRoom, say, startEnvironment, waitUntil } from "./environment.ts";

let env: Environment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

test("translation on request applies to both sides", async () => {
  const { page: staff } = await env.signIn(env.backend.staff);
  const { page: patient } = await env.signIn(env.backend.patient);
  await openRoom(staff, "愛子");
  await openRoom(patient, "Seoul Clinic");
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

test("the last of several quick choices wins", async () => {
  const { page } = await env.signIn(env.backend.staff);
  await openRoom(page, "愛子");
  await page.locator(".conversation").getByRole("button", { name: "Options" }).click();
  await page.getByRole("radio", { name: /On request/ }).check();
  await page.locator(".conversation-title").getByText("Translation: On request").waitFor();
  await page.getByRole("radio", { name: /On request/ }).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  expect(await page.getByRole("radio", { name: /Automatic/ }).isChecked()).toBe(true);
  await page.locator(".system-message", { hasText: "set the translation: Automatic" }).waitFor();
  await waitUntil(
    "the header shows it",
    async () => (await page.locator(".conversation-title").getByText("Translation:").count()) === 0,
  );
});

test("language, theme and reading order are remembered", async () => {
  const { page } = await env.signIn(env.backend.staff);
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

test("messages follow the language that is picked", async () => {
  const yuna = env.backend.token({ sub: "yuna", name: "ゆな", language: "ja" });
  const { page: patient } = await env.signIn(yuna);
  await patient.getByRole("button", { name: "New consultation" }).click();
  await patient.getByRole("textbox", { name: "Hospital ID" }).fill("seoul-clinic");
  await patient.getByRole("button", { name: "Start", exact: true }).click();
  await patient.getByText("The conversation begins here.").waitFor();
  const { page: staff } = await env.signIn(env.backend.staff);
  await staff.locator(".room-row", { hasText: "ゆな" }).first().click();
  await say(staff, "언제부터 아프셨어요?");
  await entry(patient, "いつから痛みますか？").waitFor();

  await patient.locator(".rooms").getByRole("button", { name: "Options" }).click();
  await patient.getByRole("combobox", { name: "Language" }).selectOption("ko");
  await patient.getByRole("combobox", { name: "언어" }).selectOption("en");
  await patient.keyboard.press("Escape");
  // What was said before, and what is said from now on.
  await entry(patient, "Since when has it hurt?").waitFor();
  await say(staff, "언제부터 그러셨어요?");
  await entry(patient, "When did it start?").waitFor();
  await patient.locator(".room-row").getByText("When did it start?").waitFor();
});
