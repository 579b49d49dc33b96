import { describe, expect, it } from "vitest";
import type { Room } from "../src/index.js";
import { UnreadCount } from "../src/unread-count.js";
import { roomView } from "./fake-server.js";

const ROOM = "consult:aiko:h";
const view = (lastSeq: number, readUpTo: number, unread: number) =>
  ({ ...roomView(ROOM, lastSeq), last_read_seq: readUpTo, unread_count: unread }) as unknown as Room;

/** After a view of 4 entries, all read, others write 5, 6 and 7, and then the user writes 8. */
function followedByOwn(): UnreadCount {
  const count = new UnreadCount();
  count.addView(view(4, 4, 0));
  for (const seq of [5, 6, 7]) count.addEntry(seq, true);
  count.addEntry(8, false);
  return count;
}

describe("unread count", () => {
  it("leaves out own messages", () => {
    const count = followedByOwn();
    expect(count.value).toBe(3);
    count.readTo(6, null);
    expect(count.value).toBe(1);
    count.readTo(7, null);
    expect(count.value).toBe(0);
  });

  it("leaves out own messages in the server's view", () => {
    const count = followedByOwn();
    count.addView(view(8, 4, 3));
    expect(count.value).toBe(3);
    count.readTo(7, null);
    expect(count.value).toBe(0);
  });

  it("counts each message once, in any order", () => {
    const count = new UnreadCount();
    count.addView(view(4, 4, 0));
    for (const seq of [7, 5, 7, 6, 5]) count.addEntry(seq, true);
    expect(count.value).toBe(3);
    count.addView(view(6, 4, 2));
    expect(count.value).toBe(3);
    count.addView(view(5, 4, 1));
    count.addEntry(6, true);
    expect(count.value).toBe(3);
  });

  it("keeps what arrives while reading is reported", () => {
    const count = new UnreadCount();
    count.addView(view(4, 2, 2));
    count.addEntry(5, true);
    count.readTo(4, 0);
    expect(count.value).toBe(1);
  });

  it("trusts the server's count of older messages", () => {
    const count = new UnreadCount();
    count.addView(view(10, 0, 9));
    count.readTo(5, 2);
    expect(count.value).toBe(2);
    // Entries that the reply already counts may be pushed after it.
    count.readTo(9, 5);
    expect(count.value).toBe(1);
  });

  it("never grows by an older view", () => {
    const count = followedByOwn();
    count.readTo(8, 0);
    count.addView(view(7, 4, 3));
    count.addView(view(8, 4, 3));
    expect(count.value).toBe(0);
  });
});
