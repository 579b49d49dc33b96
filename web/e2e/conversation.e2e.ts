import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Environment, entry, openRoom, say, startEnvironment, waitUntil } from "./environment.ts";

let env: Environment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterEach(() => env.closePages());
afterAll(() => env.stop());

test("two people talk in their own languages", async () => {
  const { page: patient } = await env.signIn(env.backend.patient);
  const { page: staff } = await env.signIn(env.backend.staff);
  expect(await patient.evaluate(() => location.hash), "the token does not stay in the address bar").toBe("");
  await openRoom(patient, "Seoul Clinic");
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

test("the hospital corrects a translation in place", async () => {
  const { page: staff } = await env.signIn(env.backend.staff);
  const { page: patient } = await env.signIn(env.backend.patient);
  await openRoom(staff, "愛子");
  await openRoom(patient, "Seoul Clinic");
  await say(patient, "ありがとうございます");
  await entry(staff, "감사합니다").getByRole("button", { name: "Correct" }).click();
  const field = staff.getByRole("textbox", { name: "Translation into Korean" });
  await field.fill("정말 감사합니다");
  await staff.getByRole("button", { name: "Save" }).click();
  await entry(staff, "정말 감사합니다").getByText("Corrected by").waitFor();
  await entry(patient, "ありがとうございます").getByText("정말 감사합니다").waitFor();
  await entry(patient, "ありがとうございます").getByText("민준").waitFor();
});

test("a conflicting correction is shown first", async () => {
  const nurse = env.backend.token({
    sub: "seoyeon",
    name: "서연",
    language: "ko",
    user_type: "hospital",
    hospital_id: "seoul-clinic",
  });
  const { page: one } = await env.signIn(env.backend.staff);
  const { page: other } = await env.signIn(nurse);
  const { page: patient } = await env.signIn(env.backend.patient);
  for (const page of [one, other]) await openRoom(page, "愛子");
  await openRoom(patient, "Seoul Clinic");
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

test("the patient closes and the hospital reopens", async () => {
  const { page: patient } = await env.signIn(env.backend.patient);
  const { page: staff } = await env.signIn(env.backend.staff);
  await openRoom(patient, "Seoul Clinic");
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
  await waitUntil(
    "the list says so as well",
    async () => (await patient.locator(".room-row .status-badge").first().innerText()) === "In progress",
  );
});

test("arrow keys alone change no status", async () => {
  const { page: staff } = await env.signIn(env.backend.staff);
  await openRoom(staff, "愛子");
  const statuses = staff.locator(".entry, .system-message", { hasText: "set the status" });
  await staff.locator(".system-message").first().waitFor();
  const before = await statuses.count();
  await staff.locator(".conversation").getByRole("button", { name: "Options" }).click();
  const choice = staff.getByRole("combobox", { name: "Status" });
  await choice.selectOption("waiting");
  await staff.getByRole("button", { name: "Set" }).click();
  await waitUntil("it is set", async () => (await statuses.count()) === before + 1);
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

test("only web addresses in messages are links", async () => {
  const { page } = await env.signIn(env.backend.staff);
  await openRoom(page, "愛子");
  await say(page, "여기(https://example.com/a_(b))를 보세요, javascript:alert(1) <a href='/x'>y</a>");
  const links = entry(page, "여기").locator("a");
  await links.first().waitFor();
  const attributes = await links.evaluateAll((all) =>
    all.map((link) => ["href", "target", "rel"].map((name) => link.getAttribute(name))),
  );
  expect(attributes).toEqual([["https://example.com/a_(b)", "_blank", "noopener noreferrer"]]);
  expect(await links.innerText()).toBe("https://example.com/a_(b)");
});

test("stacked marks cover no other message", async () => {
  const { page } = await env.signIn(env.backend.staff);
  await openRoom(page, "愛子");
  await say(page, "위에 있는 글");
  await say(page, `탑 ${`a${"\u0301".repeat(100)}`.repeat(10)}`);
  await entry(page, "탑 a")
    .getByRole("img", { name: /Delivered|Read/ })
    .waitFor();
  const above = entry(page, "위에 있는 글").locator(".entry-text").first();
  const stacked = entry(page, "탑 a").locator(".entry-text").first();
  /** What the message above looks like while the stacked marks have this style. */
  const looks = async (style: string) => {
    await stacked.evaluate((element, css) => element.setAttribute("style", css), style);
    return (await above.screenshot()).toString("base64");
  };
  const without = await looks("visibility: hidden");
  expect(await looks("overflow: visible"), "they would reach it").not.toBe(without);
  expect(await looks("")).toBe(without);
});

test("one link shows both sides", async () => {
  const context = await env.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB" });
  const page = await context.newPage();
  await page.goto(env.pairLink([env.backend.patient, env.backend.staff]));
  const patient = page.locator('[data-person="aiko"]');
  const staff = page.locator('[data-person="minjun"]');
  await say(staff, "안녕하세요");
  await entry(patient, "こんにちは").waitFor();
  // Each pane speaks the language of its person.
  await patient.getByRole("textbox", { name: "メッセージ" }).waitFor();
  await staff.getByRole("textbox", { name: "메시지" }).waitFor();
});

test("staff translate what the machine cannot", async () => {
  const amani = env.backend.token({ sub: "amani", name: "Amani", language: "sw" });
  const { page: patient } = await env.signIn(amani);
  await patient.getByRole("button", { name: "New consultation" }).click();
  await patient.getByRole("textbox", { name: "Hospital ID" }).fill("seoul-clinic");
  await patient.getByRole("button", { name: "Start", exact: true }).click();
  await patient.getByText("The conversation begins here.").waitFor();
  const { page: staff } = await env.signIn(env.backend.staff);
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

test("two tabs share messages and read state", async () => {
  const { page: patient } = await env.signIn(env.backend.patient);
  const { page: one, context } = await env.signIn(env.backend.staff);
  const other = await context.newPage();
  await other.goto(env.signInLink(env.backend.staff));
  await other.locator(".room-row").first().waitFor();
  await openRoom(patient, "Seoul Clinic");
  await one.locator(".room-row", { hasText: "愛子" }).waitFor();
  await say(patient, "助けてください");
  await other.locator(".room-row", { hasText: "愛子" }).locator(".unread-count").waitFor();
  await openRoom(one, "愛子");
  await waitUntil(
    "the other tab knows",
    async () => (await other.locator(".room-row", { hasText: "愛子" }).locator(".unread-count").count()) === 0,
  );
  await say(one, "알겠습니다");
  await openRoom(other, "愛子");
  await entry(other, "알겠습니다").waitFor();
});
