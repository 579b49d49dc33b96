import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { PageStorage } from "./storage.ts";

/** A storage with a limit, like that of a browser. */
class LimitedStorage implements Storage {
  readonly items = new Map<string, string>();
  limit = Infinity;
  get length() {
    return this.items.size;
  }
  key(index: number) {
    return [...this.items.keys()][index] ?? null;
  }
  getItem(key: string) {
    return this.items.get(key) ?? null;
  }
  setItem(key: string, value: string) {
    if (value.length > this.limit) throw new DOMException("full", "QuotaExceededError");
    this.items.set(key, value);
  }
  removeItem(key: string) {
    this.items.delete(key);
  }
  clear() {
    this.items.clear();
  }
}
const forbidden = () => {
  throw new DOMException("denied", "SecurityError");
};

describe("storage", () => {
  test("uses the browser's if it can", () => {
    const browser = new LimitedStorage();
    const storage = new PageStorage(() => browser);
    storage.setItem("a", "1");
    expect([storage.isPersistent, [...browser.items], storage.getItem("a")]).toEqual([true, [["a", "1"]], "1"]);
  });

  test("works in memory if it is forbidden", () => {
    const storage = new PageStorage(forbidden);
    storage.setItem("a", "1");
    storage.setItem("b", "2");
    storage.removeItem("a");
    expect([storage.getItem("a"), storage.getItem("b"), storage.length, storage.key(0)]).toEqual([null, "2", 1, "b"]);
    storage.clear();
    expect([storage.isPersistent, storage.length]).toEqual([false, 0]);
  });

  test("works in memory if it accepts nothing", () => {
    const refusing = new LimitedStorage();
    refusing.limit = -1;
    const storage = new PageStorage(() => refusing);
    storage.setItem("a", "1");
    expect([storage.isPersistent, storage.getItem("a")]).toEqual([false, "1"]);
  });

  test("keeps in memory what no longer fits", () => {
    const browser = new LimitedStorage();
    const storage = new PageStorage(() => browser);
    storage.setItem("a", "1");
    browser.limit = 3;
    storage.setItem("a", "too long");
    storage.setItem("b", "2");
    expect([storage.getItem("a"), storage.length, [...browser.items]]).toEqual(["too long", 2, [["b", "2"]]]);
    storage.setItem("a", "3");
    expect([storage.getItem("a"), browser.getItem("a"), storage.length]).toEqual(["3", "3", 2]);
  });

  test("is not used directly anywhere else", () => {
    const source = new URL("..", import.meta.url).pathname;
    const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
      (file) => /\.tsx?$/.test(file) && !file.startsWith("storage/"),
    );
    const users = files.filter((file) =>
      /\b(local|session)Storage\.|\b(indexedDB|caches|cookie)\b/.test(readFileSync(source + file, "utf8")),
    );
    expect(users).toEqual([]);
  });
});
