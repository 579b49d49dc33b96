import type { Client } from "../src/index.js";

/** Waits, driven by the clients' events, until a condition holds. The timeout only bounds a failure. */
export function waitUntil(
  clients: readonly Client[],
  condition: string,
  holds: () => boolean,
  timeoutMs = 300_000,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const unsubscribe: (() => void)[] = [];
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      for (const off of unsubscribe) off();
      settle();
    };
    const check = () => {
      if (holds()) finish(resolve);
    };
    const timer = setTimeout(() => finish(() => reject(new Error(`timed out waiting until ${condition}`))), timeoutMs);
    for (const client of clients) {
      for (const event of ["state", "rooms", "room", "message"] as const) unsubscribe.push(client.on(event, check));
    }
    check();
  });
}
