/** The real backend on loopback, for as long as a story lasts. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHmac, randomInt } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Backend {
  url: string;
  /** 愛子, a patient who writes Japanese. */
  patient: string;
  /** 민준, of the hospital, who writes Korean. */
  staff: string;
  /** A token of anybody. */
  token: (claims: Record<string, unknown>) => string;
  /** Ends it and starts it again where it was, with the same data. */
  restart: (meanwhile: () => Promise<void>) => Promise<void>;
  stop: () => Promise<void>;
}

const repository = fileURLToPath(new URL("../../", import.meta.url));

/** Starts what `DAMSO_DEV` names; the functions are those in `DAMSO_BINARIES`, or else it builds them. */
export async function startBackend(more: readonly string[] = []): Promise<Backend> {
  const program = process.env.DAMSO_DEV;
  if (program === undefined) throw new Error("DAMSO_DEV does not say where the built program `dev` is");
  const folder = mkdtempSync(join(tmpdir(), "damso-story-"));
  const binaries = process.env.DAMSO_BINARIES;
  const start = async (port: string) => {
    const options = ["--port", port, "--data", join(folder, "data"), "--env-file", join(folder, "lambda.env")];
    const process = spawn(program, [...options, ...(binaries ? ["--binaries", binaries] : []), ...more], {
      cwd: repository,
      stdio: ["ignore", "pipe", "pipe"],
    });
    return { process, said: await listen(process) };
  };
  const end = async (process: ChildProcess) => {
    if (process.exitCode !== null || process.signalCode !== null) return;
    const ended = new Promise((resolve) => process.once("exit", resolve));
    process.kill("SIGINT");
    await ended;
  };
  let running = await somewhere(start);
  const { said } = running;
  const url = /ready on (ws:\S+)/.exec(said)?.[1] ?? "";
  const { port } = new URL(url);
  const tokens = [...said.matchAll(/Bearer ([\w.-]+)/g)].map((match) => match[1] ?? "");
  return {
    url,
    patient: tokens[0] ?? "",
    staff: tokens[1] ?? "",
    token: (claims) => sign(claims, readFileSync(join(folder, "token-secret"), "utf8").trim()),
    async restart(meanwhile) {
      await end(running.process);
      await meanwhile();
      running = await start(port);
    },
    async stop() {
      await end(running.process);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Starts it on a port that it can be started on again. The system gives the ports from 32768 on to whatever connects anywhere,
 * the browser among them, so that one that was free may be taken the next moment; `dev` uses four in a row.
 */
async function somewhere<T>(start: (port: string) => Promise<T>, tries = 20): Promise<T> {
  try {
    return await start(String(20_000 + 4 * randomInt(3_000)));
  } catch (error) {
    if (tries === 1 || !String(error).includes("cannot listen")) throw error;
    return somewhere(start, tries - 1);
  }
}

/** What it prints, up to where it has said everything. */
function listen(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const heard = (part: Buffer) => {
      said += part.toString();
      if (said.includes("For wscat:") || (said.match(/Bearer /g)?.length ?? 0) >= 2) resolve(said);
    };
    child.stdout?.on("data", heard);
    child.stderr?.on("data", heard);
    child.once("exit", (code) => reject(new Error(`dev ended with ${code}:\n${said}`)));
  });
}

function sign(claims: Record<string, unknown>, secret: string): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ exp: Math.floor(Date.now() / 1000) + 36_000, ...claims })}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}
