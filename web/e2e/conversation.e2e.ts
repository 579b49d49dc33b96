import { afterAll, beforeAll, expect, test } from "vitest";
import { type Environment, entry, openRoom, say, startEnvironment, until } from "./environment.ts";

let env: Environment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

test("two people talk, each in their own language, and see what became of their words", async () => {
  const patient = (await env.enter(env.backend.patient)).page;
  const staff = (await env.enter(env.backend.staff)).page;
  expect(await patient.evaluate(() => location.hash), "the token does not stay in the address bar").toBe("");
  await openRoom(patient, "seoul-clinic");
  await openRoom(staff, "愛子");

  await say(patient, "頭が痛いです。");
  await entry(staff, "머리가 아파요.").getByText("頭が痛いです。").waitFor();
  await say(staff, "언제부터 아프셨어요?");
  const answer = entry(patient, "いつから痛みますか？");
  await answer.getByText("언제부터 아프셨어요?").waitFor();
  await answer.getByText("Machine translation").waitFor();

  // Both look at it, so both have read it.
  await entry(patient, "頭が痛いです。").getByRole("img", { name: "Read" }).waitFor();
  await entry(staff, "언제부터 아프셨어요?").getByRole("img", { name: "Read" }).waitFor();
  // The sender sees what the other side reads.
  await entry(patient, "頭が痛いです。").getByText("머리가 아파요.").waitFor();
});

test("the hospital corrects a translation in place, and the patient's own side sees by whom", async () => {
  const staff = (await env.enter(env.backend.staff)).page;
  const patient = (await env.enter(env.backend.patient)).page;
  await openRoom(staff, "愛子");
  await openRoom(patient, "seoul-clinic");
  await say(patient, "ありがとうございます");
  await entry(staff, "감사합니다").getByRole("button", { name: "Correct" }).click();
  const field = staff.getByRole("textbox", { name: "Translation into Korean" });
  await field.fill("정말 감사합니다");
  await staff.getByRole("button", { name: "Save" }).click();
  await entry(staff, "정말 감사합니다").getByText("Corrected by").waitFor();
  await entry(patient, "ありがとうございます").getByText("정말 감사합니다").waitFor();
  await entry(patient, "ありがとうございます").getByText("민준").waitFor();
});

test("who corrects what somebody else corrected meanwhile is shown that first", async () => {
  const nurse = env.backend.token({
    sub: "seoyeon",
    name: "서연",
    language: "ko",
    user_type: "hospital",
    hospital_id: "seoul-clinic",
  });
  const one = (await env.enter(env.backend.staff)).page;
  const other = (await env.enter(nurse)).page;
  const patient = (await env.enter(env.backend.patient)).page;
  for (const page of [one, other]) await openRoom(page, "愛子");
  await openRoom(patient, "seoul-clinic");
  await say(patient, "おやすみなさい");
  for (const page of [one, other]) {
    await entry(page, "안녕히 주무세요").getByRole("button", { name: "Correct" }).click();
  }
  await one.getByRole("textbox", { name: "Translation into Korean" }).fill("편히 주무세요");
  await one.getByRole("button", { name: "Save" }).click();
  await entry(one, "편히 주무세요").getByText("Corrected by").waitFor();
  await other.getByRole("textbox", { name: "Translation into Korean" }).fill("푹 주무세요");
  await other.getByRole("button", { name: "Save" }).click();
  await other.getByRole("alert").getByText("편히 주무세요").waitFor();
  await other.getByRole("button", { name: "Save mine instead" }).click();
  await entry(one, "おやすみなさい").getByText("푹 주무세요").waitFor();
});

test("a patient closes the consultation, and the hospital opens it again", async () => {
  const patient = (await env.enter(env.backend.patient)).page;
  const staff = (await env.enter(env.backend.staff)).page;
  await openRoom(patient, "seoul-clinic");
  await openRoom(staff, "愛子");
  await patient.locator(".conversation").getByRole("button", { name: "Options" }).click();
  await patient.getByRole("button", { name: "Close the consultation" }).click();
  await patient.getByRole("button", { name: "Close the consultation" }).click();
  await patient.getByText("Only the hospital can open it again.").first().waitFor();
  await staff.getByText("Set another status to write here again.").waitFor();
  await staff.locator(".conversation").getByRole("button", { name: "Options" }).click();
  await staff.getByRole("combobox", { name: "Status" }).selectOption("in_progress");
  await staff.getByRole("button", { name: "Set" }).click();
  await patient.getByRole("textbox", { name: "Message" }).waitFor();
  await until(
    "the list says so as well",
    async () => (await patient.locator(".room-row .status-badge").first().innerText()) === "In progress",
  );
});

test("arrow keys alone change no status, and closing is asked about", async () => {
  const staff = (await env.enter(env.backend.staff)).page;
  await openRoom(staff, "愛子");
  const statuses = staff.locator(".entry, .system-message", { hasText: "set the status" });
  await staff.locator(".system-message").first().waitFor();
  const before = await statuses.count();
  await staff.locator(".conversation").getByRole("button", { name: "Options" }).click();
  const choice = staff.getByRole("combobox", { name: "Status" });
  await choice.selectOption("waiting");
  await staff.getByRole("button", { name: "Set" }).click();
  await until("it is set", async () => (await statuses.count()) === before + 1);
  await choice.focus();
  for (let step = 0; step < 3; step += 1) await staff.keyboard.press("ArrowDown");
  expect(await choice.inputValue()).toBe("closed");
  await staff.keyboard.press("Tab");
  await staff.keyboard.press("Enter");
  await staff.getByText("Close it? Nobody can write here until you set another status.").waitFor();
  await staff.getByRole("button", { name: "Cancel" }).click();
  expect(await choice.inputValue(), "nothing was changed").toBe("waiting");
  expect(await statuses.count()).toBe(before + 1);
});

test("both sides of a conversation stand side by side from one link", async () => {
  const people = [env.backend.patient, env.backend.staff].map((token) => ({ url: env.backend.url, token }));
  const context = await env.browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB" });
  const page = await context.newPage();
  await page.goto(`${env.address}#pair=${Buffer.from(JSON.stringify(people)).toString("base64url")}`);
  const [patient, staff] = [page.locator('[data-person="aiko"]'), page.locator('[data-person="minjun"]')];
  await say(staff, "안녕하세요");
  await entry(patient, "こんにちは").waitFor();
  // Each pane speaks the language of its person.
  await patient.getByRole("textbox", { name: "メッセージ" }).waitFor();
  await staff.getByRole("textbox", { name: "메시지" }).waitFor();
});
