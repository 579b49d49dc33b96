import { afterAll, beforeAll, expect, test } from "vitest";
import { type Environment, openRoom, say, startEnvironment } from "./environment.ts";

let env: Environment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

test("the list previews in the reader's language", async () => {
  const { page: patient } = await env.signIn(env.backend.patient);
  const { page: staff } = await env.signIn(env.backend.staff);
  const { page: colleague } = await env.signIn(env.backend.staff);
  const row = patient.locator(".room-row", { hasText: "Seoul Clinic" });
  await row.waitFor();
  await openRoom(staff, "愛子");
  await say(staff, "언제부터 아프셨어요?");
  await row.getByText("いつから痛みますか").waitFor();
  expect(await row.locator(".room-last bdi").getAttribute("lang")).toBe("ja");
  await patient.reload();
  await row.getByText("いつから痛みますか").waitFor();

  await openRoom(patient, "Seoul Clinic");
  await say(patient, "頭が痛いです。");
  const others = colleague.locator(".room-row", { hasText: "愛子" });
  await others.getByText("머리가 아파요.").waitFor();
  await row.getByText("頭が痛いです。").waitFor();
});

test.each([360, 1100])("the status filter is one line at %d pixels", async (width) => {
  const { page } = await env.signIn(env.backend.staff, { viewport: { width, height: 740 } });
  await page.locator(".room-row").first().waitFor();
  const filter = page.locator(".status-filter");
  const tops = await filter
    .locator("button")
    .evaluateAll((buttons) => buttons.map((button) => button.getBoundingClientRect().top));
  expect(new Set(tops).size).toBe(1);
  const [content, space] = await filter.evaluate((element) => [element.scrollWidth, element.clientWidth]);
  expect(content, "nothing is hidden").toBe(space);
});
