/** The real backend on the loopback interface. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHmac, randomInt } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Backend {
  url: string;
  /** The token of 愛子, a patient who writes Japanese. */
  patient: string;
  /** The token of 민준, a member of the hospital's staff who writes Korean. */
  staff: string;
  /** Signs a token with these claims. */
  token: (claims: Record<string, unknown>) => string;
  /** Stops it and starts it again at the same address with the same data. */
  restart: (whileStopped: () => Promise<void>) => Promise<void>;
  stop: () => Promise<void>;
}

const TOKEN = /Bearer ([\w.-]+)"/g;
const repository = fileURLToPath(new URL("../../", import.meta.url));

/** Starts the program `DAMSO_DEV` with the functions in `DAMSO_BINARIES`, which it builds if that is not set. */
export async function startBackend(): Promise<Backend> {
  const program = process.env.DAMSO_DEV;
  if (program === undefined) throw new Error("DAMSO_DEV is not set; set it to the path of the built program `dev`");
  const folder = mkdtempSync(join(tmpdir(), "damso-e2e-"));
  const binaries = process.env.DAMSO_BINARIES;
  const start = async (port: string) => {
    const args = ["--port", port, "--data", join(folder, "data"), "--env-file", join(folder, "lambda.env")];
    if (binaries !== undefined) args.push("--binaries", binaries);
    const child = spawn(program, args, { cwd: repository, stdio: ["ignore", "pipe", "pipe"] });
    return { child, output: await outputWhenReady(child) };
  };
  const end = async (child: ChildProcess) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGINT");
    await exited;
  };
  let running = await onFreePort(start);
  const { output } = running;
  const url = /ready on (ws:\S+)/.exec(output)?.[1] ?? "";
  const { port } = new URL(url);
  const tokens = [...output.matchAll(TOKEN)].map((match) => match[1] ?? "");
  return {
    url,
    patient: tokens[0] ?? "",
    staff: tokens[1] ?? "",
    token: (claims) => sign(claims, readFileSync(join(folder, "token-secret"), "utf8").trim()),
    async restart(whileStopped) {
      await end(running.child);
      await whileStopped();
      running = await start(port);
    },
    async stop() {
      await end(running.child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Chooses a port that is still free when the backend is restarted. It is below 32768, because the system hands out the
 * ports from there on to outgoing connections, such as the browser's. `dev` uses four consecutive ports.
 */
async function onFreePort<T>(start: (port: string) => Promise<T>, attempts = 20): Promise<T> {
  try {
    return await start(String(20_000 + 4 * randomInt(3_000)));
  } catch (error) {
    if (attempts === 1 || !/listen|in use/.test(String(error))) throw error;
    return onFreePort(start, attempts - 1);
  }
}

/** Resolves with the output once it contains the URL and both tokens. */
function outputWhenReady(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      if ([...output.matchAll(TOKEN)].length >= 2) resolve(output);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("exit", (code) => reject(new Error(`dev exited with ${code}:\n${output}`)));
  });
}

function sign(claims: Record<string, unknown>, secret: string): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const expiresInTenHours = { exp: Math.floor(Date.now() / 1000) + 36_000 };
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ ...expiresInTenHours, ...claims })}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}
