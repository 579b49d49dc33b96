import { afterAll, beforeAll, expect, test } from "vitest";
import { type Environment, entry, openRoom, say, startEnvironment } from "./environment.ts";
import { RATE_LIMITED, refuseRequests, reloadOffline, signInWithNetwork } from "./network.ts";

let env: Environment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

test("a message that is refused or fails makes way", async () => {
  const { page: staff } = await env.signIn(env.backend.staff);
  const context = await env.newContext();
  const page = await context.newPage();
  const codes: Record<string, string> = { refused: "bad_request", failing: "internal" };
  await refuseRequests(page, ({ action, message }) => {
    const code = action === "sendMessage" ? codes[String(message)] : undefined;
    return code === undefined ? null : { code };
  });
  await page.goto(env.signInLink(env.backend.patient));
  await openRoom(page, "Seoul Clinic");
  await openRoom(staff, "愛子");
  for (const text of ["refused", "failing", "one", "two"]) await say(page, text);
  await entry(staff, "two").waitFor();
  const texts = await staff.locator(".entry").allInnerTexts();
  expect(texts.filter((text) => /refused|failing/.test(text))).toEqual([]);

  await entry(page, "refused").getByText("The message was not accepted.").waitFor();
  const failing = entry(page, "failing");
  await failing.getByText("The server could not process it.").waitFor();
  delete codes.failing;
  await failing.getByRole("button", { name: "Try again" }).click();
  await entry(staff, "failing").waitFor();
  await entry(page, "refused").getByRole("button", { name: "Discard" }).click();
  await entry(page, "refused").waitFor({ state: "detached" });
  expect(await page.evaluate(() => document.activeElement?.role), "the focus stays in the conversation").toBe("log");
});

test("any unsent message can be discarded, also after a reload", async () => {
  const { page: staff } = await env.signIn(env.backend.staff);
  const { page, network } = await signInWithNetwork(env, env.backend.patient);
  await openRoom(page, "Seoul Clinic");
  await openRoom(staff, "愛子");
  await network.cut();
  for (const text of ["first", "second", "third"]) await say(page, text);
  await entry(page, "first").getByRole("button", { name: "Discard" }).click();
  await entry(page, "first").waitFor({ state: "detached" });
  await reloadOffline(page);
  await entry(page, "second").getByRole("button", { name: "Discard" }).click();
  await entry(page, "second").waitFor({ state: "detached" });
  await network.restore();
  await entry(staff, "third").waitFor();
  const texts = await staff.locator(".entry").allInnerTexts();
  expect(texts.filter((text) => /first|second/.test(text))).toEqual([]);
});

test("a rate-limited message can be discarded", async () => {
  const { page: staff } = await env.signIn(env.backend.staff);
  const context = await env.newContext();
  const page = await context.newPage();
  await refuseRequests(page, ({ action, message }) =>
    action === "sendMessage" && message === "too much" ? { ...RATE_LIMITED, retry_after_ms: 120_000 } : null,
  );
  await page.goto(env.signInLink(env.backend.patient));
  await openRoom(page, "Seoul Clinic");
  await openRoom(staff, "愛子");
  await say(page, "too much");
  await page.getByText("You can write again in").waitFor();
  await entry(page, "too much").getByRole("button", { name: "Discard" }).click();
  await say(page, "enough");
  await entry(staff, "enough").waitFor();
});
