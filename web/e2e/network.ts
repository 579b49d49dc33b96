/** Networks that fail on demand, between the page and the real backend. */
import type { Page } from "playwright-core";
import type { Environment } from "./environment.ts";

export interface Network {
  /** Frames are lost and connections refused. */
  cut: () => Promise<void>;
  /** Ends the cut and fires the `online` event. */
  restore: () => Promise<void>;
  /** The open connections stay open, but all of their frames are lost. New ones work. */
  silence: () => void;
}

async function controlNetwork(page: Page): Promise<Network> {
  let down = false;
  let silenced = 0;
  const connections = new Set<() => Promise<void>>();
  await page.routeWebSocket(/./, (socket) => {
    if (down) {
      void socket.close({ code: 1001 });
      return;
    }
    const server = socket.connectToServer();
    const generation = silenced;
    const passes = () => !down && generation === silenced;
    const close = async () => {
      await socket.close({ code: 1001 });
      await server.close();
    };
    connections.add(close);
    socket.onMessage((message) => passes() && server.send(message));
    server.onMessage((message) => passes() && socket.send(message));
    socket.onClose(() => void connections.delete(close));
  });
  return {
    async cut() {
      down = true;
      for (const close of [...connections]) await close();
      connections.clear();
    },
    silence() {
      silenced += 1;
    },
    async restore() {
      down = false;
      await page.evaluate(() => window.dispatchEvent(new Event("online")));
    },
  };
}

export async function signInWithNetwork(env: Environment, token: string): Promise<{ page: Page; network: Network }> {
  const context = await env.newContext();
  const page = await context.newPage();
  const network = await controlNetwork(page);
  await page.clock.install();
  await page.goto(env.signInLink(token));
  return { page, network };
}

/** Answers requests with the error that `refusal` returns, and passes on those for which it returns null. */
export async function refuseRequests(
  page: Page,
  refusal: (request: Record<string, unknown>) => Record<string, unknown> | null,
): Promise<void> {
  await page.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      const request = JSON.parse(String(text)) as Record<string, unknown>;
      const error = refusal(request);
      if (error === null) {
        server.send(text);
        return;
      }
      const { action, request_id } = request;
      socket.send(JSON.stringify({ type: "error", action, request_id, message: "", ...error }));
    });
  });
}

export const RATE_LIMITED = { code: "rate_limited", retry_after_ms: 1_000 };

/** Reloads the page without a network. The page's own files do not need one. */
export async function reloadOffline(page: Page): Promise<void> {
  await page.reload();
  await page.getByText("No connection. You can go on writing").waitFor();
}
