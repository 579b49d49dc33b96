import { afterAll, beforeAll, expect, test } from "vitest";
import { type Environment, entry, openRoom, say, sendRequests, startEnvironment, waitUntil } from "./environment.ts";

let env: Environment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

test("search jumps to a result", async () => {
  const { page } = await env.signIn(env.backend.staff);
  await openRoom(page, "愛子");
  await page.keyboard.press("Tab");
  await page.getByRole("button", { name: "Search in this conversation" }).click();
  await page.getByRole("searchbox", { name: "Search texts and translations" }).fill("예약");
  await page.keyboard.press("Enter");
  await page.locator(".search-results button").first().click();
  await page.locator(".entry[data-highlighted]", { hasText: "こんにちは。予約したいです。" }).waitFor();
  await page.keyboard.press("Escape");
  await waitUntil("Escape closes the search", async () => (await page.locator(".search-panel").count()) === 0);
});

test("search results never cover the entry found", async () => {
  const { page } = await env.signIn(env.backend.staff, { viewport: { width: 820, height: 900 } });
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
  await waitUntil("all of it is visible", isOnTop);
});

test("the room search loads further pages", async () => {
  const { page } = await env.signIn(env.backend.staff);
  const hospital = { action: "createRoom", kind: "consult", hospital_id: "seoul-clinic" };
  await sendRequests(page, env.backend.url, env.backend.token({ sub: "zainab", name: "Zainab", language: "en" }), [
    hospital,
  ]);
  const others = Array.from({ length: 30 }, (_, index) =>
    env.backend.token({ sub: `p${index}`, name: `Patient ${index}`, language: "en" }),
  );
  await Promise.all(others.map((token) => sendRequests(page, env.backend.url, token, [hospital])));
  await page.reload();
  await page.getByRole("button", { name: "Load more" }).waitFor();
  expect(await page.locator(".room-row", { hasText: "Zainab" }).count()).toBe(0);
  await page.getByRole("searchbox", { name: "Search conversations" }).fill("zainab");
  await page.locator(".room-row", { hasText: "Zainab" }).waitFor();
  await page.getByRole("searchbox", { name: "Search conversations" }).fill("nobody of this name");
  await page.getByText("Nothing found").waitFor();
});
