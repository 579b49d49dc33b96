import type { Outgoing, OutboxStorage } from "./api.js";

/**
 * Messages of one person that outlive the page. Each has a key of its own, so that several tabs never overwrite each other's: no list
 * of them is kept anywhere.
 */
export class StoredMessages {
  readonly #prefix: string;

  constructor(private readonly storage: OutboxStorage, url: string, subject: string) {
    this.#prefix = `damso.outbox|${url}|${encodeURIComponent(subject)}|`;
  }

  /** What is there, from whichever tab; in the order in which it was written. */
  all(): Outgoing[] {
    const found: Outgoing[] = [];
    for (const key of this.#keys()) {
      const message = parsed(this.storage.getItem(key));
      if (message !== null) found.push(message);
    }
    return found.sort((a, b) => a.createdAt - b.createdAt);
  }

  has(messageId: string): boolean {
    return this.storage.getItem(this.#prefix + messageId) !== null;
  }

  /** Whether it is kept; a storage can be full or forbidden. */
  put(message: Outgoing): boolean {
    try {
      this.storage.setItem(this.#prefix + message.messageId, JSON.stringify(message));
      return true;
    } catch {
      return false;
    }
  }

  remove(messageId: string): void {
    try {
      this.storage.removeItem(this.#prefix + messageId);
    } catch {
      // Then it is sent once more after a reload, which has no effect.
    }
  }

  #keys(): string[] {
    const keys: string[] = [];
    try {
      for (let index = 0; index < this.storage.length; index += 1) {
        const key = this.storage.key(index);
        if (key?.startsWith(this.#prefix)) keys.push(key);
      }
    } catch {
      // A storage that may not be read holds nothing.
    }
    return keys;
  }
}

function parsed(text: string | null): Outgoing | null {
  try {
    const message = JSON.parse(text ?? "null") as Partial<Outgoing> | null;
    const { messageId, roomId, text: words, createdAt } = message ?? {};
    const whole =
      typeof messageId === "string" && typeof roomId === "string" && typeof words === "string" && typeof createdAt === "number";
    return whole ? (message as Outgoing) : null;
  } catch {
    return null;
  }
}
