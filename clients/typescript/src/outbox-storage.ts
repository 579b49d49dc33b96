import type { Outgoing, OutboxStorage } from "./api.js";

/**
 * Messages of one person that outlive the page. Each has a key of its own, so that several tabs never overwrite each other's. Only where
 * a storage cannot list its keys, a list of them is kept besides.
 */
export class StoredMessages {
  readonly #prefix: string;

  constructor(private readonly storage: OutboxStorage, url: string, subject: string) {
    this.#prefix = `damso.outbox|${url}|${encodeURIComponent(subject)}|`;
  }

  /** What is there, from whichever tab; in the order in which it was written. */
  all(): Outgoing[] {
    const found = this.#keys().flatMap((key) => parsed(this.#item(key)) ?? []);
    return found.sort((a, b) => a.createdAt - b.createdAt);
  }

  has(messageId: string): boolean {
    return this.#item(this.#prefix + messageId) !== null;
  }

  #item(key: string): string | null {
    try {
      return this.storage.getItem(key);
    } catch {
      return null;
    }
  }

  /** Whether it is kept; a storage can be full or forbidden. */
  put(message: Outgoing): boolean {
    try {
      this.storage.setItem(this.#prefix + message.messageId, JSON.stringify(message));
      this.#list((ids) => ids.add(message.messageId));
      return true;
    } catch {
      return false;
    }
  }

  remove(messageId: string): void {
    try {
      this.storage.removeItem(this.#prefix + messageId);
      this.#list((ids) => ids.delete(messageId));
    } catch {
      // Then it is sent once more after a reload, which has no effect.
    }
  }

  #keys(): string[] {
    const { length } = this.storage;
    try {
      if (length === undefined || this.storage.key === undefined) return [...this.#listed()].map((id) => this.#prefix + id);
      const all = Array.from({ length }, (_, index) => this.storage.key?.(index) ?? "");
      return all.filter((key) => key.startsWith(this.#prefix));
    } catch {
      // A storage that may not be read holds nothing.
      return [];
    }
  }

  #list(change: (ids: Set<string>) => unknown): void {
    if (this.storage.length !== undefined && this.storage.key !== undefined) return;
    const ids = this.#listed();
    change(ids);
    if (ids.size === 0) this.storage.removeItem(this.#prefix);
    else this.storage.setItem(this.#prefix, JSON.stringify([...ids]));
  }

  #listed(): Set<string> {
    try {
      const ids: unknown = JSON.parse(this.storage.getItem(this.#prefix) ?? "[]");
      return new Set(Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : []);
    } catch {
      return new Set();
    }
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
