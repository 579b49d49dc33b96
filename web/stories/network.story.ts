import { afterAll, beforeAll, expect, test } from "vitest";
import { type Page } from "playwright-core";
import { entry, openRoom, say, setStage, type Stage, until } from "./stage.ts";

let stage: Stage;
beforeAll(async () => void (stage = await setStage()));
afterAll(() => stage.strike());

/** A network that can be cut: what is sent meanwhile is lost, nobody gets a new connection, and the browser says when it is back. */
async function cuttable(page: Page): Promise<{ cut: () => Promise<void>; mend: () => Promise<void> }> {
  let down = false;
  const open = new Set<() => Promise<void>>();
  await page.routeWebSocket(/./, (socket) => {
    if (down) return void socket.close({ code: 1001 });
    const server = socket.connectToServer();
    const cut = async () => {
      await socket.close({ code: 1001 });
      await server.close();
    };
    open.add(cut);
    socket.onMessage((message) => !down && server.send(message));
    server.onMessage((message) => !down && socket.send(message));
    socket.onClose(() => void open.delete(cut));
  });
  return {
    async cut() {
      down = true;
      for (const close of [...open]) await close();
      open.clear();
    },
    async mend() {
      down = false;
      await page.evaluate(() => window.dispatchEvent(new Event("online")));
    },
  };
}

async function enterCuttable(token: string) {
  const context = await stage.browser.newContext({ locale: "en-GB", viewport: { width: 1100, height: 800 } });
  const page = await context.newPage();
  const network = await cuttable(page);
  await page.goto(`${stage.address}#url=${encodeURIComponent(stage.backend.url)}&token=${token}`);
  return { page, network };
}

test("who was away finds what the other wrote, and what they wrote themself is sent once", async () => {
  const { page: patient, network } = await enterCuttable(stage.backend.patient);
  const staff = (await stage.enter(stage.backend.staff)).page;
  await openRoom(patient, "seoul-clinic");
  await openRoom(staff, "愛子");

  await network.cut();
  await patient.getByText("No connection. You can go on writing").waitFor();
  for (const text of ["안녕하세요", "어디가 아프세요?", "언제부터 그러셨어요?"]) await say(staff, text);
  await entry(staff, "언제부터 그러셨어요?").getByRole("img", { name: "Delivered" }).waitFor();
  await say(patient, "質問があります");
  await entry(patient, "質問があります").getByRole("img", { name: /Waiting|Sending/ }).waitFor();

  await network.mend();
  await entry(patient, "언제부터 그러셨어요?").waitFor();
  await entry(staff, "質問があります").waitFor();
  await until("the notice is gone", async () => (await patient.locator(".connection-notice").count()) === 0);
  for (const page of [patient, staff]) {
    const texts = await page.locator(".entry").allInnerTexts();
    for (const text of ["어디가 아프세요?", "質問があります"]) expect(texts.filter((said) => said.includes(text))).toHaveLength(1);
  }
});

test("a message outlives loading the page anew before it was sent", async () => {
  const { page: patient, network } = await enterCuttable(stage.backend.patient);
  const staff = (await stage.enter(stage.backend.staff)).page;
  await openRoom(patient, "seoul-clinic");
  await openRoom(staff, "愛子");
  await network.cut();
  await say(patient, "通訳が必要です");
  await patient.locator(".composer textarea").fill("まだ書いています");
  await patient.reload();
  await network.mend();
  await entry(staff, "通訳が必要です").waitFor();
  await entry(patient, "通訳が必要です").getByRole("img", { name: /Delivered|Read/ }).waitFor();
  expect(await patient.locator(".composer textarea").inputValue(), "what was being written is still there").toBe("まだ書いています");
  expect(await staff.locator(".entry", { hasText: "通訳が必要です" }).count()).toBe(1);
});

test("a server that is started anew is found again, and loses nothing", async () => {
  const patient = (await stage.enter(stage.backend.patient)).page;
  const staff = (await stage.enter(stage.backend.staff)).page;
  await openRoom(patient, "seoul-clinic");
  await openRoom(staff, "愛子");
  await stage.backend.restart(async () => {
    await patient.getByText("No connection. You can go on writing").waitFor();
    await say(patient, "もしもし");
  });
  // Nothing tells the pages that it is back: they find it at their next tries, between which ever longer times lie.
  await entry(staff, "여보세요").waitFor({ timeout: 45_000 });
  await say(staff, "네, 말씀하세요");
  await entry(patient, "はい、どうぞ").waitFor();
});

test("the same text again and again is held up, and the page says for how long", async () => {
  const patient = (await stage.enter(stage.backend.patient)).page;
  await openRoom(patient, "seoul-clinic");
  for (let time = 0; time < 4; time += 1) await say(patient, "助けてください");
  await patient.getByText(/You can write again in \d+ seconds?/).waitFor();
});

test("a session that ends leads to the sign-in form, which says so", async () => {
  const token = stage.backend.token({ sub: "brief", name: "Brief", language: "en", exp: Math.floor(Date.now() / 1000) + 4 });
  const { page } = await stage.enter(token);
  await page.getByText("Your session ends in 1 min.").waitFor();
  await page.getByText("Your session has ended.").waitFor();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
});

test("signing out forgets the token", async () => {
  const { page } = await stage.enter(stage.backend.patient);
  await page.locator(".rooms").getByRole("button", { name: "Options" }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("textbox", { name: "Address" }).waitFor();
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
});
