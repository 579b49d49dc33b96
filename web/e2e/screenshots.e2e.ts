import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { test } from "vitest";
import { entry, openRoom, say, send, startEnvironment, until } from "./environment.ts";

const folder = fileURLToPath(new URL("../screenshots/", import.meta.url));

async function take(page: Page, name: string): Promise<void> {
  await until(
    "everything is there",
    async () => (await page.locator(".entry-text.pending, [data-outgoing], [aria-busy=true]").count()) === 0,
  );
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.screenshot({ path: `${folder}${name}.png` });
}

// The pictures that README shows, taken anew by `DAMSO_PICTURES=1 npm run stories -- pictures`.
test.skipIf(!process.env.DAMSO_PICTURES)("the pictures", async () => {
  const env = await startEnvironment();
  try {
    const { backend } = env;
    const pair = Buffer.from(
      JSON.stringify([
        { url: backend.url, token: backend.patient },
        { url: backend.url, token: backend.staff },
      ]),
    ).toString("base64url");
    const context = await env.browser.newContext({ viewport: { width: 1440, height: 860 }, locale: "en-GB" });
    const both = await context.newPage();
    await both.goto(`${env.address}#pair=${pair}`);
    const patient = both.locator('[data-person="aiko"]'),
      staff = both.locator('[data-person="minjun"]');
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
    const { page } = await env.enter(backend.staff, {
      viewport: { width: 820, height: 1000 },
      locale: "ko-KR",
      colorScheme: "dark",
    });
    await page.locator(".room-row").first().waitFor();
    for (const [sub, name, language, texts] of people) {
      await send(page, backend.url, backend.token({ sub, name, language }), [
        { action: "createRoom", kind: "consult", hospital_id: "seoul-clinic" },
        ...texts.map((message) => ({ action: "sendMessage", room_id: `consult:${sub}:seoul-clinic`, message })),
      ]);
    }
    await send(page, backend.url, backend.staff, [
      { action: "changeRoomStatus", room_id: "consult:aiko:seoul-clinic", status: "in_progress" },
      { action: "changeRoomStatus", room_id: "consult:wolf:seoul-clinic", status: "on_hold" },
      { action: "changeRoomStatus", room_id: "consult:li:seoul-clinic", status: "closed" },
    ]);
    await page.reload();
    await page.locator(".room-row").nth(4).waitFor();
    await openRoom(page, "愛子");
    await take(page, "tablet-dark");
    const phone = await env.enter(backend.patient, { viewport: { width: 390, height: 780 }, locale: "ja-JP" });
    await openRoom(phone.page, "seoul-clinic");
    await take(phone.page, "phone");
  } finally {
    await env.stop();
  }
});
