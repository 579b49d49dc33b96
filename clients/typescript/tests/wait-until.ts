import type { Client } from "../src/index.js";

/** Waits for the clients' own events until something holds. */
export function waitUntil(
  clients: readonly Client[],
  what: string,
  holds: () => boolean,
  within = 60_000,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const offs: (() => void)[] = [];
    const end = (settle: () => void) => {
      clearTimeout(late);
      for (const off of offs) off();
      settle();
    };
    const look = () => {
      if (holds()) end(resolve);
    };
    const late = setTimeout(() => end(() => reject(new Error(`waited in vain until ${what}`))), within);
    for (const client of clients) {
      for (const event of ["state", "rooms", "room", "message"] as const) offs.push(client.on(event, look));
    }
    look();
  });
}
