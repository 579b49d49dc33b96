import { type Client, connect, type Options, type Refusal } from "@damso/client";
import { tabStorage } from "../storage/storage.ts";

/** Until when the server accepts no messages. The client waits and retries without reporting it. */
export interface RateLimit {
  until: number;
  subscribe: (listener: () => void) => () => void;
}

/**
 * The outbox is in the storage of the tab: it survives a reload, but neither another tab nor the next user of this
 * browser sees it. `onExpired` is called when the server ends the session, because there is no other token to use.
 */
export function openClient(
  url: string,
  token: string,
  onExpired: () => void,
): { client: Client; rateLimit: RateLimit } {
  const listeners = new Set<() => void>();
  const rateLimit: RateLimit = {
    until: 0,
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
  class ListeningSocket extends WebSocket {
    constructor(address: string, protocols: string[]) {
      super(address, protocols);
      this.addEventListener("message", ({ data }) => {
        if (typeof data !== "string" || !/"(rate_limited|session_expired)"/.test(data)) return;
        const frame = JSON.parse(data) as { type?: string; action?: string } & Partial<Refusal>;
        if (frame.type !== "error") return;
        if (frame.code === "session_expired") {
          onExpired();
          return;
        }
        if (frame.action !== "sendMessage" || frame.code !== "rate_limited") return;
        rateLimit.until = Date.now() + (frame.retry_after_ms ?? 1_000);
        for (const listener of listeners) listener();
      });
    }
  }
  // The browser's type is stricter about event handlers than the client's.
  const WebSocketClass = ListeningSocket as unknown as NonNullable<Options["WebSocket"]>;
  return { client: connect({ url, token: () => token, outbox: tabStorage, WebSocket: WebSocketClass }), rateLimit };
}
