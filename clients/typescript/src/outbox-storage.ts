import type { OutboxStorage, OutgoingMessage } from "./api.js";

/** Returns null if the storage is forbidden: browsers then throw as soon as `localStorage` is mentioned. */
export function openStorage(outbox: OutboxStorage | (() => OutboxStorage)): OutboxStorage | null {
  try {
    return typeof outbox === "function" ? outbox() : outbox;
  } catch {
    return null;
  }
}

/**
 * One user's messages in a storage that outlives the page. Each message has its own key, so that tabs never overwrite
 * each other's. An index is kept only for a storage that cannot list its keys.
 */
export class StoredMessages {
  readonly #prefix: string;

  constructor(
    private readonly storage: OutboxStorage,
    url: string,
    subject: string,
  ) {
    this.#prefix = `damso.outbox|${url}|${encodeURIComponent(subject)}|`;
  }

  /** The stored messages of all tabs, in the order in which they were written. */
  all(): OutgoingMessage[] {
    const messages = this.#keys().flatMap((key) => parse(this.#get(key)) ?? []);
    return messages.sort((a, b) => a.createdAt - b.createdAt);
  }

  has(messageId: string): boolean {
    return this.#get(this.#prefix + messageId) !== null;
  }

  /** Storages can be full or forbidden. The message is then kept in memory only. */
  put(message: OutgoingMessage): void {
    try {
      this.storage.setItem(this.#prefix + message.messageId, JSON.stringify(message));
      this.#updateIndex((ids) => ids.add(message.messageId));
    } catch {
      // See above.
    }
  }

  remove(messageId: string): void {
    try {
      this.storage.removeItem(this.#prefix + messageId);
      this.#updateIndex((ids) => ids.delete(messageId));
    } catch {
      // It is sent once more after a reload, which has no effect.
    }
  }

  #get(key: string): string | null {
    try {
      return this.storage.getItem(key);
    } catch {
      return null;
    }
  }

  #keys(): string[] {
    try {
      const { length } = this.storage;
      if (length === undefined || this.storage.key === undefined) {
        return [...this.#readIndex()].map((id) => this.#prefix + id);
      }
      const all = Array.from({ length }, (_, index) => this.storage.key?.(index) ?? "");
      return all.filter((key) => key.startsWith(this.#prefix));
    } catch {
      // A storage that must not be read counts as empty.
      return [];
    }
  }

  #updateIndex(change: (ids: Set<string>) => unknown): void {
    if (this.storage.length !== undefined && this.storage.key !== undefined) return;
    const ids = this.#readIndex();
    change(ids);
    if (ids.size === 0) this.storage.removeItem(this.#prefix);
    else this.storage.setItem(this.#prefix, JSON.stringify([...ids]));
  }

  #readIndex(): Set<string> {
    try {
      const ids: unknown = JSON.parse(this.storage.getItem(this.#prefix) ?? "[]");
      return new Set(Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : []);
    } catch {
      return new Set();
    }
  }
}

function parse(json: string | null): OutgoingMessage | null {
  try {
    const message = JSON.parse(json ?? "null") as Partial<OutgoingMessage> | null;
    const { messageId, roomId, text, createdAt } = message ?? {};
    const isComplete =
      typeof messageId === "string" &&
      typeof roomId === "string" &&
      typeof text === "string" &&
      typeof createdAt === "number";
    return isComplete ? (message as OutgoingMessage) : null;
  } catch {
    return null;
  }
}
