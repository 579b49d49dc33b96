import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** A whole Damso on this machine: what `cargo dev` runs, on ports of its own. */
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
    const parameters = ["--port", "0", "--binaries", process.env.DAMSO_BINARIES ?? "", "--env-file", environment];
    if (faults !== undefined) {
      writeFileSync(join(folder, "faults.json"), JSON.stringify(faults));
      parameters.push("--faults", join(folder, "faults.json"));
    }
    const root = resolve(import.meta.dirname, "../../..");
    const child = spawn(dev, parameters, { cwd: root, detached: true, stdio: ["ignore", "pipe", "ignore"] });
    // Also where the run is broken off.
    process.once("exit", () => end(child, folder));
    try {
      const url = await announced(child);
      // The secret lies beside the file of variables, so that any person can be made up.
      return new Stack(child, folder, url, readFileSync(join(folder, "token-secret"), "utf8"));
    } catch (error) {
      end(child, folder);
      throw error;
    }
  }

  token(claims: Record<string, unknown>, seconds = 3600): string {
    const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const iat = Math.floor(Date.now() / 1000);
    const signed = `${encoded({ alg: "HS256", typ: "JWT" })}.${encoded({ iat, exp: iat + seconds, ...claims })}`;
    return `${signed}.${createHmac("sha256", this.secret).update(signed).digest("base64url")}`;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    if (this.process.exitCode === null) {
      this.process.kill("SIGINT");
      const late = setTimeout(() => this.process.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(late);
    }
    end(this.process, this.folder);
  }
}

function announced(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    child.stdout?.on("data", (data: Buffer) => {
      output += data.toString();
      const url = /ready on (ws:\S+)/.exec(output)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error("the stack ended before it was ready")));
  });
}

/** What it started is in its process group. */
function end(child: ChildProcess, folder: string): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nothing of it is left.
  }
  rmSync(folder, { recursive: true, force: true });
}
