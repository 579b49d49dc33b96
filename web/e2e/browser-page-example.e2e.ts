import { execFileSync, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, test } from "vitest";
import { type Environment, entry, openRoom, say, startEnvironment } from "./environment.ts";

const web = fileURLToPath(new URL("..", import.meta.url));
const repository = fileURLToPath(new URL("../..", import.meta.url));

let env: Environment;
let server: { address: string; stop: () => void } | undefined;
beforeAll(async () => {
  execFileSync("npx", ["tsc", "-p", "../clients/typescript/tsconfig.build.json"], { cwd: web });
  env = await startEnvironment();
  server = await serveRepository();
});
afterAll(async () => {
  server?.stop();
  await env.stop();
});

/** The command of the example's README, on a free port. */
async function serveRepository(): Promise<{ address: string; stop: () => void }> {
  const args = ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", repository];
  const child = spawn("python3", args, { stdio: ["ignore", "pipe", "ignore"] });
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (data: Buffer) => {
      const announced = /port (\d+)/.exec(data.toString())?.[1];
      if (announced !== undefined) resolve(announced);
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error("python3 -m http.server exited before it was ready")));
  });
  return { address: `http://127.0.0.1:${port}`, stop: () => void child.kill() };
}

test("the example page shows originals and translations", async () => {
  const { backend } = env;
  const { page: staff } = await env.signIn(backend.staff);
  await openRoom(staff, "愛子");
  const context = await env.newContext();
  const page = await context.newPage();
  await page.goto(`${server?.address}/examples/browser-page/#url=${backend.url}&token=${backend.patient}`);

  await say(staff, "언제부터 아프셨어요?");
  await page.getByText("민준: 언제부터 아프셨어요? (ja: いつから痛みますか？)").waitFor();

  await page.getByRole("textbox", { name: "Message" }).fill("頭が痛いです。");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("愛子: 頭が痛いです。").waitFor();
  await entry(staff, "머리가 아파요.").waitFor();
});
