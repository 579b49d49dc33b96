/** A built page, a browser and a backend; and how people come in. */
import { fileURLToPath } from "node:url";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";
import { preview } from "vite";
import { type Backend, startBackend } from "./backend.ts";

export interface Environment {
  backend: Backend;
  browser: Browser;
  address: string;
  /** Opens the page signed in as whom the token names. */
  enter: (token: string, options?: BrowserContextOptions) => Promise<{ page: Page; context: BrowserContext }>;
  stop: () => Promise<void>;
}

export async function startEnvironment(more: readonly string[] = []): Promise<Environment> {
  const backend = await startBackend(more);
  try {
    return await furnish(backend);
  } catch (error) {
    await backend.stop();
    throw error;
  }
}

async function furnish(backend: Backend): Promise<Environment> {
  const server = await preview({
    root: fileURLToPath(new URL("..", import.meta.url)),
    logLevel: "silent",
    preview: { host: "127.0.0.1", port: 0 },
  });
  const address = server.resolvedUrls?.local[0] ?? "";
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  return {
    backend,
    browser,
    address,
    async enter(token, options = {}) {
      const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1100, height: 800 }, ...options });
      const page = await context.newPage();
      await page.goto(`${address}#url=${encodeURIComponent(backend.url)}&token=${token}`);
      return { page, context };
    },
    async stop() {
      await browser.close();
      await server.close();
      await backend.stop();
    },
  };
}

/** Opens the conversation of that name from the list. */
export async function openRoom(page: Page, name: string): Promise<void> {
  await page.locator(".room-row", { hasText: name }).first().click();
  await page.locator(".entry").first().waitFor();
}

export async function say(page: Page | Locator, text: string): Promise<void> {
  const field = page.locator(".composer textarea");
  await field.fill(text);
  await field.press("Enter");
}

/** The message that holds this text, original or translated. */
export function entry(page: Page | Locator, text: string): Locator {
  return page.locator(".entry", { hasText: text }).last();
}

/** Waits until something holds, and says what it was if it never does. */
export async function until(what: string, holds: () => Promise<boolean>, within = 15_000): Promise<void> {
  const end = Date.now() + within;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Sends frames as somebody, each after the reply to the one before; returns the replies. */
export async function send(
  page: Page,
  url: string,
  token: string,
  frames: readonly Record<string, unknown>[],
): Promise<Record<string, unknown>[]> {
  return page.evaluate(
    ([address, bearer, requests]) =>
      new Promise<Record<string, unknown>[]>((resolve, reject) => {
        const socket = new WebSocket(address, ["damso.v1", `bearer.${bearer}`]);
        const replies: Record<string, unknown>[] = [];
        const next = () => {
          const frame = requests[replies.length];
          if (frame !== undefined) return socket.send(JSON.stringify({ ...frame, request_id: String(replies.length) }));
          socket.close();
          resolve(replies);
        };
        socket.onopen = next;
        socket.onerror = () => reject(new Error("no connection"));
        socket.onmessage = ({ data }) => {
          const frame = JSON.parse(String(data)) as Record<string, unknown>;
          if (frame.type === "error" && frame.code === "rate_limited")
            return void setTimeout(next, Number(frame.retry_after_ms ?? 500));
          if (frame.request_id !== String(replies.length)) return;
          replies.push(frame);
          next();
        };
      }),
    [url, token, frames] as const,
  );
}
