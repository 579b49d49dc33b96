import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** A complete local stack, as started by `cargo dev`, on free ports. */
export class Stack {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    readonly url: string,
    private readonly secret: string,
  ) {}

  static async start(faults?: object): Promise<Stack> {
    const dev = process.env.DAMSO_DEV ?? "";
    const folder = mkdtempSync(join(tmpdir(), "damso-client-"));
    const environment = join(folder, "lambda.env");
    // These clients do in seconds what people do in hours.
    const args = [
      "--parameter",
      "RequestsPerMinute=0",
      "--port",
      "0",
      "--binaries",
      process.env.DAMSO_BINARIES ?? "",
      "--env-file",
      environment,
    ];
    if (faults !== undefined) {
      writeFileSync(join(folder, "faults.json"), JSON.stringify(faults));
      args.push("--faults", join(folder, "faults.json"));
    }
    const repository = resolve(import.meta.dirname, "../../..");
    const child = spawn(dev, args, { cwd: repository, detached: true, stdio: ["ignore", "pipe", "ignore"] });
    // Cleans up even if the test run is interrupted.
    process.once("exit", () => kill(child, folder));
    try {
      const url = await readyUrl(child);
      // The secret is stored next to the environment file, so tests can sign tokens for anybody.
      return new Stack(child, folder, url, readFileSync(join(folder, "token-secret"), "utf8"));
    } catch (error) {
      kill(child, folder);
      throw error;
    }
  }

  token(claims: Record<string, unknown>, lifetimeSeconds = 3600): string {
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const iat = Math.floor(Date.now() / 1000);
    const header = { alg: "HS256", typ: "JWT" };
    const payload = { iat, exp: iat + lifetimeSeconds, ...claims };
    const signed = `${encode(header)}.${encode(payload)}`;
    return `${signed}.${createHmac("sha256", this.secret).update(signed).digest("base64url")}`;
  }

  async stop(): Promise<void> {
    const exited = new Promise((resolve) => this.process.once("exit", resolve));
    if (this.process.exitCode === null) {
      this.process.kill("SIGINT");
      const timer = setTimeout(() => this.process.kill("SIGKILL"), 30_000);
      await exited;
      clearTimeout(timer);
    }
    kill(this.process, this.folder);
  }
}

function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    child.stdout?.on("data", (data: Buffer) => {
      output += data.toString();
      const url = /ready on (ws:\S+)/.exec(output)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error("the stack exited before it was ready")));
  });
}

/** Kills the process group, which includes the functions. */
function kill(child: ChildProcess, folder: string): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // Everything has exited.
  }
  rmSync(folder, { recursive: true, force: true });
}
