import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BROWSER, type Environment, entry, openRoom, say, startEnvironment } from "./environment.ts";

const profile = mkdtempSync(join(tmpdir(), "damso-profile-"));
let env: Environment;
let context: BrowserContext;
beforeAll(async () => {
  env = await startEnvironment();
  // The setting "Block all cookies", which also denies pages any storage.
  mkdirSync(join(profile, "Default"));
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
  writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify(preferences));
  context = await chromium.launchPersistentContext(profile, { ...BROWSER, locale: "en-GB" });
});
afterAll(async () => {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
  await env.stop();
});

const NOTICE = "This browser stores nothing for this page";

test("the page works where storage is denied", async () => {
  const page = await context.newPage();
  await page.goto(env.address);
  await page.getByText(NOTICE).waitFor();
  const isDenied = (name: "localStorage" | "sessionStorage") =>
    page.evaluate((storage) => {
      try {
        return window[storage] === null;
      } catch (error) {
        return (error as DOMException).name === "SecurityError";
      }
    }, name);
  expect([await isDenied("localStorage"), await isDenied("sessionStorage")]).toEqual([true, true]);
  await page.getByRole("combobox", { name: "Appearance" }).selectOption("dark");
  await page.locator('html[data-theme="dark"]').waitFor();
  await page.getByRole("textbox", { name: "Address" }).fill(env.backend.url);
  await page.getByLabel("Token").fill(env.backend.patient);
  await page.getByRole("button", { name: "Sign in" }).click();

  await page.getByText(NOTICE).waitFor();
  await page.getByRole("button", { name: "Close", exact: true }).click();
  await page.getByText(NOTICE).waitFor({ state: "detached" });
  await openRoom(page, "Seoul Clinic");
  await say(page, "保存できません");
  await entry(page, "保存できません")
    .getByRole("img", { name: /Delivered|Read/ })
    .waitFor();
  await page.locator(".rooms").getByRole("button", { name: "Options" }).click();
  await page.getByRole("combobox", { name: "Language" }).selectOption("ko");
  await page.getByRole("textbox", { name: "메시지" }).fill("下書き");
  await page.reload();
  await page.getByRole("textbox", { name: "Address" }).waitFor();
});
