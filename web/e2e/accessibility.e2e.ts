import axe, { type AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Environment, openRoom, say, startEnvironment, waitUntil } from "./environment.ts";

let env: Environment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

/** All violations that axe finds, of any impact. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const results = await page.evaluate(() =>
    (window as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run(),
  );
  return results.violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.impact} ${rule.id}: ${node.target.join(" ")} ${node.failureSummary}`),
  );
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`the ${colorScheme} page passes axe`, async () => {
    const context = await env.newContext({
      colorScheme,
      locale: "en-GB",
      viewport: { width: 1300, height: 900 },
      bypassCSP: true,
    });
    const page = await context.newPage();
    await page.goto(env.address);
    expect(await violations(page), "the sign-in form").toEqual([]);
    await page.goto(env.signInLink(env.backend.staff));
    await page.locator(".room-row").first().waitFor();
    expect(await violations(page), "the list").toEqual([]);
    await openRoom(page, "愛子");
    await say(page, `안녕하세요 ${colorScheme} https://example.com/`);
    await waitUntil("it is sent", async () => (await page.locator("[data-outgoing]").count()) === 0);
    expect(await violations(page), "a conversation").toEqual([]);
    await page.getByRole("button", { name: "Correct" }).first().click();
    await page.getByRole("button", { name: "Search in this conversation" }).click();
    await page.getByRole("searchbox", { name: "Search texts and translations" }).fill("안녕");
    await page.keyboard.press("Enter");
    await page.locator(".search-results li").first().waitFor();
    await page.locator(".conversation").getByRole("button", { name: "Options" }).click();
    expect(await violations(page), "a correction, a search and the options").toEqual([]);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await violations(page), "a phone").toEqual([]);
  });
}

test("everything works with the keyboard", async () => {
  const { page } = await env.signIn(env.backend.staff);
  await page.locator(".room-row").first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.locator(".entry").first().waitFor();
  await page.locator(".conversation").getByRole("button", { name: "Options" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("combobox", { name: "Status" }).waitFor();
  await page.keyboard.press("Escape");
  expect(
    await page.evaluate(() => document.activeElement?.getAttribute("aria-label")),
    "Escape returns the focus",
  ).toBe("Options");
  expect(await page.getByRole("combobox", { name: "Status" }).count()).toBe(0);
  await page.getByRole("textbox", { name: "Message" }).focus();
  await page.keyboard.insertText("한 줄");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.insertText("두 줄");
  expect(await page.getByRole("textbox", { name: "Message" }).inputValue()).toBe("한 줄\n두 줄");
  await page.keyboard.press("Enter");
  await page.locator(".entry", { hasText: "두 줄" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("Choose a conversation").waitFor();
});
