/** A running backend, the built page, and a browser. */
import { fileURLToPath } from "node:url";
import { type BrowserContext, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";
import { preview } from "vite";
import { type Backend, startBackend } from "./backend.ts";

/** Bounds a failure. Nothing waits this long on a busy machine. */
const TIMEOUT_MS = 120_000;

export interface Environment {
  backend: Backend;
  /** The URL of the page. */
  address: string;
  /** The URL of the page with a link that signs in the owner of the token. */
  signInLink: (token: string) => string;
  /** The URL of the page with a link that signs in both. */
  pairLink: (tokens: readonly [string, string]) => string;
  newContext: (options?: BrowserContextOptions) => Promise<BrowserContext>;
  /** Opens the page in a new context, signed in as the owner of the token. */
  signIn: (token: string, options?: BrowserContextOptions) => Promise<{ page: Page; context: BrowserContext }>;
  /** Closes all pages, so that nobody reads along in the next test. */
  closePages: () => Promise<void>;
  stop: () => Promise<void>;
}

export async function startEnvironment(): Promise<Environment> {
  const backend = await startBackend();
  try {
    return await startBrowser(backend);
  } catch (error) {
    await backend.stop();
    throw error;
  }
}

async function startBrowser(backend: Backend): Promise<Environment> {
  const server = await preview({
    root: fileURLToPath(new URL("..", import.meta.url)),
    logLevel: "silent",
    preview: { host: "127.0.0.1", port: 0 },
  });
  const address = server.resolvedUrls?.local[0] ?? "";
  const browser = await chromium.launch(BROWSER);
  const signInLink = (token: string) => `${address}#url=${encodeURIComponent(backend.url)}&token=${token}`;
  const newContext = async (options: BrowserContextOptions = {}) => {
    const viewport = { width: 1100, height: 800 };
    const context = await browser.newContext({ locale: "en-GB", viewport, ...options });
    context.setDefaultTimeout(TIMEOUT_MS);
    return context;
  };
  return {
    backend,
    address,
    signInLink,
    pairLink(tokens) {
      const people = tokens.map((token) => ({ url: backend.url, token }));
      return `${address}#pair=${Buffer.from(JSON.stringify(people)).toString("base64url")}`;
    },
    newContext,
    async signIn(token, options) {
      const context = await newContext(options);
      const page = await context.newPage();
      await page.goto(signInLink(token));
      return { page, context };
    },
    async closePages() {
      await Promise.all(browser.contexts().map((context) => context.close()));
    },
    async stop() {
      await browser.close();
      await server.close();
      await backend.stop();
    },
  };
}

export const BROWSER = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  timeout: TIMEOUT_MS,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

/** Opens the conversation of that name from the list. */
export async function openRoom(page: Page, name: string): Promise<void> {
  await page.locator(".room-row", { hasText: name }).first().click();
  await page.locator(".entry").first().waitFor();
}

/** Types a message and sends it. */
export async function say(page: Page | Locator, text: string): Promise<void> {
  const field = page.locator(".composer textarea");
  await field.fill(text);
  await field.press("Enter");
}

/** The last message that contains this text, as original or translation. */
export function entry(page: Page | Locator, text: string): Locator {
  return page.locator(".entry", { hasText: text }).last();
}

/** Waits until a condition holds. The timeout only bounds a failure. */
export async function waitUntil(
  condition: string,
  holds: () => Promise<boolean>,
  timeoutMs = TIMEOUT_MS,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`timed out waiting until ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Sends requests one after the other as the owner of the token, and returns the replies. Waits for rate limits. */
export async function sendRequests(
  page: Page,
  url: string,
  token: string,
  requests: readonly Record<string, unknown>[],
): Promise<Record<string, unknown>[]> {
  return page.evaluate(
    ([address, bearer, frames]) =>
      new Promise<Record<string, unknown>[]>((resolve, reject) => {
        const socket = new WebSocket(address, ["damso.v1", `bearer.${bearer}`]);
        const replies: Record<string, unknown>[] = [];
        const sendNext = () => {
          const frame = frames[replies.length];
          if (frame !== undefined) {
            socket.send(JSON.stringify({ ...frame, request_id: String(replies.length) }));
            return;
          }
          socket.close();
          resolve(replies);
        };
        socket.onopen = sendNext;
        socket.onerror = () => reject(new Error("no connection"));
        socket.onmessage = ({ data }) => {
          const frame = JSON.parse(String(data)) as Record<string, unknown>;
          if (frame.type === "error" && frame.code === "rate_limited") {
            setTimeout(sendNext, Number(frame.retry_after_ms ?? 500));
          } else if (frame.request_id === String(replies.length)) {
            replies.push(frame);
            sendNext();
          }
        };
      }),
    [url, token, requests] as const,
  );
}
