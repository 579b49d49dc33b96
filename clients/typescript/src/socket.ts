import type { WebSocketLike } from "./api.js";

/** Close codes that blame what the other side received: protocol errors, and data it does not accept. */
const REJECTED_DATA = [1002, 1003, 1007, 1009];

/** A received frame. Its fields depend on its `type`. */
export type Frame = { readonly type?: unknown; readonly [field: string]: unknown };

export interface SocketListener {
  frame(frame: Frame, socket: Socket): void;
  /** The other side closed it, or it never opened. Not called after `close`. */
  closed(socket: Socket): void;
}

/** One WebSocket, from its handshake to its end. */
export class Socket {
  /** When it opened or last received a frame. */
  lastActiveAt = 0;
  framesReceived = 0;
  /** Whether it was closed because of something that was sent. */
  rejectedData = false;
  /** Resolves when it is open; rejects if it closes first. */
  readonly opened: Promise<void>;
  #state: "opening" | "open" | "closed" = "opening";

  constructor(
    private readonly webSocket: WebSocketLike,
    private readonly listener: SocketListener,
  ) {
    this.opened = new Promise((resolve, reject) => {
      webSocket.onopen = () => {
        if (this.#state !== "opening") return;
        this.#state = "open";
        this.lastActiveAt = Date.now();
        resolve();
      };
      webSocket.onclose = ({ code }) => {
        const closedByPeer = this.#state !== "closed";
        this.#state = "closed";
        this.rejectedData = closedByPeer && REJECTED_DATA.includes(code);
        reject(new Error("the connection was refused or closed"));
        if (closedByPeer) this.listener.closed(this);
      };
    });
    // If it closes before anyone awaits it, that is not an unhandled rejection.
    this.opened.catch(() => {});
    webSocket.onmessage = ({ data }) => this.#receive(data);
    // `onclose` follows every error. The listener must stay: without one, a socket of `ws` that is closed during its
    // handshake throws.
    webSocket.onerror = () => {};
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Returns whether the text was handed to the socket, which does not mean that it arrives. */
  send(text: string): boolean {
    if (this.#state !== "open") return false;
    try {
      this.webSocket.send(text);
      return true;
    } catch {
      return false;
    }
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    try {
      this.webSocket.close(1000);
    } catch {
      // It never opened.
    }
  }

  #receive(data: unknown): void {
    if (this.#state !== "open" || typeof data !== "string") return;
    this.lastActiveAt = Date.now();
    this.framesReceived += 1;
    let frame: unknown;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (typeof frame === "object" && frame !== null) this.listener.frame(frame as Frame, this);
  }
}
