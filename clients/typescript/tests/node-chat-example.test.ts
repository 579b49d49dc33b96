import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { connect, type Options } from "../src/index.js";
import { Stack } from "./stack.js";
import { waitUntil } from "./wait-until.js";

const PACKAGE = resolve(import.meta.dirname, "..");
const EXAMPLE = resolve(PACKAGE, "../../examples/node-chat");
const ROOM = "consult:aiko:seoul-clinic";
const AIKO = { sub: "aiko", user_type: "user", name: "愛子", language: "ja" };
const MINJUN = { sub: "minjun", user_type: "hospital", hospital_id: "seoul-clinic", name: "민준", language: "ko" };
/** Needed by Node 20, which the client supports but the example does not. */
const FLAGS = globalThis.WebSocket === undefined ? ["--experimental-websocket"] : [];

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe.skipIf(process.env.DAMSO_DEV === undefined)("node-chat example", () => {
  it("sends lines and prints translations", { timeout: 900_000 }, async () => {
    execFileSync("npm", ["run", "--silent", "build"], { cwd: PACKAGE });
    const stack = await Stack.start();
    cleanups.push(() => stack.stop());
    const minjun = connect({
      url: stack.url,
      token: () => stack.token(MINJUN),
      WebSocket: WebSocket as unknown as NonNullable<Options["WebSocket"]>,
    });
    cleanups.push(() => minjun.close());
    const his = minjun.room(ROOM);
    await his.open();

    const chat = spawn(process.execPath, [...FLAGS, "chat.js", stack.url, stack.token(AIKO)], { cwd: EXAMPLE });
    cleanups.push(() => chat.kill());
    const exited = once(chat, "exit");
    let output = "";
    chat.stdout.on("data", (data: Buffer) => {
      output += data.toString();
    });
    const { seq } = await minjun.send(ROOM, "언제부터 아프셨어요?").sent;
    await expect.poll(() => output, { timeout: 120_000 }).toContain("민준: 언제부터 아프셨어요?");
    await expect.poll(() => output, { timeout: 120_000 }).toContain(`#${seq} in ja: いつから痛みますか？`);

    chat.stdin.end("頭が痛いです。\n");
    await waitUntil([minjun], "her line is translated", () => {
      const last = his.messages.at(-1);
      return last?.message === "頭が痛いです。" && last.translations.ko?.text === "머리가 아파요.";
    });
    expect(await exited).toEqual([0, null]);
  });
});
