/** The browser's storages, or memory where the browser forbids them or they are full. */
import type { OutboxStorage } from "@damso/client";

/** Behaves like a `Storage`. What cannot be stored is kept as long as the page. */
export class PageStorage implements OutboxStorage {
  readonly #memory = new Map<string, string>();
  readonly #storage: Storage | null;

  /** `open`: mentioning a storage that is forbidden throws. */
  constructor(open: () => Storage) {
    this.#storage = usable(open);
  }

  /** Whether what is stored survives a reload. */
  get isPersistent(): boolean {
    return this.#storage !== null;
  }

  get length(): number {
    return this.#keys().length;
  }

  key(index: number): string | null {
    return this.#keys()[index] ?? null;
  }

  getItem(key: string): string | null {
    return this.#memory.get(key) ?? this.#try((storage) => storage.getItem(key));
  }

  setItem(key: string, value: string): void {
    const isStored = this.#try((storage) => {
      storage.setItem(key, value);
      return true;
    });
    if (isStored) {
      this.#memory.delete(key);
      return;
    }
    this.#memory.set(key, value);
    // An outdated value must not come back after a reload.
    this.#try((storage) => storage.removeItem(key));
  }

  removeItem(key: string): void {
    this.#memory.delete(key);
    this.#try((storage) => storage.removeItem(key));
  }

  clear(): void {
    this.#memory.clear();
    this.#try((storage) => storage.clear());
  }

  #keys(): string[] {
    const stored = this.#try((storage) => Array.from({ length: storage.length }, (_, index) => storage.key(index)));
    return [...new Set([...(stored ?? []), ...this.#memory.keys()])].filter((key) => key !== null);
  }

  #try<T>(use: (storage: Storage) => T): T | null {
    try {
      return this.#storage === null ? null : use(this.#storage);
    } catch {
      return null;
    }
  }
}

/** A storage may also exist and accept nothing. */
function usable(open: () => Storage): Storage | null {
  const key = "damso.test";
  try {
    const storage = open();
    storage.setItem(key, "");
    storage.removeItem(key);
    return storage;
  } catch {
    return null;
  }
}

/** Belongs to this tab and ends with it. */
export const tabStorage = new PageStorage(() => sessionStorage);
/** Shared by all tabs of this browser. */
export const browserStorage = new PageStorage(() => localStorage);
