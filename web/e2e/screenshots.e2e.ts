import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { test } from "vitest";
import { entry, openRoom, say, sendRequests, startEnvironment, waitUntil } from "./environment.ts";

const folder = fileURLToPath(new URL("../screenshots/", import.meta.url));

async function take(page: Page, name: string): Promise<void> {
  await waitUntil(
    "everything is loaded",
    async () => (await page.locator(".entry-text.pending, [data-outgoing], [aria-busy=true]").count()) === 0,
  );
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.screenshot({ path: `${folder}${name}.png` });
}

// `DAMSO_SCREENSHOTS=1 npm run e2e -- screenshots` retakes the screenshots.
test.skipIf(!process.env.DAMSO_SCREENSHOTS)("screenshots for the README", async () => {
  const env = await startEnvironment();
  try {
    const { backend } = env;
    const context = await env.newContext({ viewport: { width: 1440, height: 860 }, locale: "en-GB" });
    const both = await context.newPage();
    await both.goto(env.pairLink([backend.patient, backend.staff]));
    const patient = both.locator('[data-person="aiko"]');
    const staff = both.locator('[data-person="minjun"]');
    await patient.locator(".entry").first().waitFor();
    await staff.locator(".entry").first().waitFor();
    await say(staff, "어디가 아프세요?");
    await entry(patient, "どこが痛いですか").waitFor();
    await say(patient, "頭が痛いです。");
    await entry(staff, "머리가 아파요.").waitFor();
    await say(staff, "언제부터 아프셨어요?");
    await entry(patient, "いつから痛みますか").waitFor();
    await entry(staff, "머리가 아파요.").getByRole("button", { name: "고치기" }).click();
    await staff.locator(".correction textarea").fill("머리가 많이 아파요.");
    await staff.locator(".correction .primary").click();
    await entry(staff, "머리가 많이 아파요.").waitFor();
    await say(patient, "昨日からです");
    await entry(staff, "어제부터요").waitFor();
    await take(both, "pair");
    const people: [string, string, string, string[]][] = [
      ["fatima", "فاطمة الزهراء عبد الرحمن", "ar", ["شكرا جزيلا"]],
      ["wolf", "Maximilian von Hohenzollern-Sigmaringen", "de", ["Guten Tag"]],
      ["li", "李小龍", "zh-Hans", ["你好", "谢谢"]],
      ["john", "John Smith", "en", ["Hello", "I'd like to make an appointment"]],
    ];
    const { page } = await env.signIn(backend.staff, {
      viewport: { width: 820, height: 1000 },
      locale: "ko-KR",
      colorScheme: "dark",
    });
    await page.locator(".room-row").first().waitFor();
    for (const [sub, name, language, texts] of people) {
      await sendRequests(page, backend.url, backend.token({ sub, name, language }), [
        { action: "createRoom", kind: "consult", hospital_id: "seoul-clinic" },
        ...texts.map((message) => ({ action: "sendMessage", room_id: `consult:${sub}:seoul-clinic`, message })),
      ]);
    }
    await sendRequests(page, backend.url, backend.staff, [
      { action: "changeRoomStatus", room_id: "consult:aiko:seoul-clinic", status: "in_progress" },
      { action: "changeRoomStatus", room_id: "consult:wolf:seoul-clinic", status: "on_hold" },
      { action: "changeRoomStatus", room_id: "consult:li:seoul-clinic", status: "closed" },
    ]);
    await page.reload();
    await page.locator(".room-row").nth(4).waitFor();
    await openRoom(page, "愛子");
    await take(page, "tablet-dark");
    const phone = await env.signIn(backend.patient, { viewport: { width: 390, height: 780 }, locale: "ja-JP" });
    await openRoom(phone.page, "Seoul Clinic");
    await take(phone.page, "phone");
  } finally {
    await env.stop();
  }
});
