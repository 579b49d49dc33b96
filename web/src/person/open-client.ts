import { type Client, connect, type Options, type Refusal } from "@damso/client";

/** How long the server wants no more messages; kept beside the client, which waits and repeats without a word. */
export interface Pause {
  until: number;
  subscribe: (listener: () => void) => () => void;
}

/**
 * The outbox lies in the tab's own storage: it outlives a reload, and neither another tab nor the next user of this
 * browser sees it. `ended` is called when the server says that the session is over: there is no other token than this one.
 */
export function openClient(url: string, token: string, ended: () => void): { client: Client; pause: Pause } {
  const listeners = new Set<() => void>();
  const pause: Pause = {
    until: 0,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  class ListeningSocket extends WebSocket {
    constructor(address: string, protocols: string[]) {
      super(address, protocols);
      this.addEventListener("message", ({ data }) => {
        if (typeof data !== "string" || !/"(rate_limited|session_expired)"/.test(data)) return;
        const frame = JSON.parse(data) as { type?: string; action?: string } & Partial<Refusal>;
        if (frame.type !== "error") return;
        if (frame.code === "session_expired") return ended();
        if (frame.action !== "sendMessage" || frame.code !== "rate_limited") return;
        pause.until = Date.now() + (frame.retry_after_ms ?? 1_000);
        for (const listener of listeners) listener();
      });
    }
  }
  // The browser's own is stricter about who listens than the client has to know.
  const Listening = ListeningSocket as unknown as NonNullable<Options["WebSocket"]>;
  return { client: connect({ url, token: () => token, outbox: sessionStorage, WebSocket: Listening }), pause };
}
