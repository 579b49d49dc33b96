import type { WebSocketLike } from "./api.js";

/** A frame as it came; what it holds beyond its `type` is known once that is. */
export type Frame = { readonly type?: unknown; readonly [field: string]: unknown };

export interface LinkListener {
  frame(frame: Frame, link: Link): void;
  /** The other side ended it, or it never opened. Not called for one that `end` ended. */
  ended(link: Link): void;
}

/** One WebSocket, from its handshake to its end. */
export class Link {
  /** When the last frame came, or when it opened. */
  heardAt = 0;
  /** Resolves when it is open; rejects when it ended before. */
  readonly opened: Promise<void>;
  #state: "opening" | "open" | "ended" = "opening";

  constructor(private readonly socket: WebSocketLike, private readonly listener: LinkListener) {
    this.opened = new Promise((resolve, reject) => {
      socket.onopen = () => {
        if (this.#state !== "opening") return;
        this.#state = "open";
        this.heardAt = Date.now();
        resolve();
      };
      socket.onclose = () => {
        const told = this.#state !== "ended";
        this.#state = "ended";
        reject(new Error("the connection was refused or closed"));
        if (told) this.listener.ended(this);
      };
    });
    // Whoever dials waits for it; an end before that is no unhandled rejection.
    this.opened.catch(() => {});
    socket.onmessage = ({ data }) => this.#receive(data);
    // `onclose` follows. The listener stays to the end: a socket of `ws` that is closed while it opens throws where nobody listens.
    socket.onerror = () => {};
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Whether it was handed to the socket, which says nothing about its arrival. */
  send(text: string): boolean {
    if (this.#state !== "open") return false;
    try {
      this.socket.send(text);
      return true;
    } catch {
      return false;
    }
  }

  end(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    try {
      this.socket.close(1000);
    } catch {
      // It never opened.
    }
  }

  #receive(data: unknown): void {
    if (this.#state !== "open" || typeof data !== "string") return;
    this.heardAt = Date.now();
    let frame: unknown;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (typeof frame === "object" && frame !== null) this.listener.frame(frame as Frame, this);
  }
}
