import { describe, expect, it } from "vitest";
import type { Message, Translation } from "../src/index.js";
import { Log } from "../src/log.js";
import { entry } from "./fake-server.js";
import { SeededRandom } from "./seeded-random.js";

const ROOM = "consult:u:h";
const message = (seq: number, more = {}) => entry(ROOM, seq, more) as Message;
const translation = (version: number, language = "ja"): Translation => ({
  language,
  text: `v${version}`,
  source: "deepl",
  status: "ok",
  version,
  at: version,
});
const seqs = (log: Log) => log.messages.map(({ seq }) => seq);

describe("log", () => {
  it("waits for the newest page", () => {
    const log = new Log();
    log.add(message(4));
    expect(seqs(log)).toEqual([]);
    log.addNewestPage([message(2), message(3)], true);
    expect(seqs(log)).toEqual([2, 3, 4]);
  });

  it("holds back entries beyond a gap", () => {
    const log = new Log();
    log.addNewestPage([message(1)], false);
    log.add(message(3));
    expect([seqs(log), log.isBehind]).toEqual([[1], true]);
    log.add(message(2));
    expect([seqs(log), log.isBehind]).toEqual([[1, 2, 3], false]);
  });

  it("is behind if newer entries exist", () => {
    const log = new Log();
    log.addNewestPage([message(1)], false);
    log.expectUpTo(2);
    expect(log.isBehind).toBe(true);
  });

  it("keeps the highest version of each translation", () => {
    const log = new Log();
    log.addNewestPage([message(1)], false);
    log.addTranslation(2, translation(2));
    log.addTranslation(2, translation(1));
    log.add(message(2, { translations: { ja: translation(1) } }));
    expect(log.get(2)?.translations.ja?.version).toBe(2);
    log.addTranslation(2, translation(3));
    log.add(message(2));
    expect(log.get(2)?.translations.ja?.version).toBe(3);
  });

  it("returns the same array until something changes", () => {
    const log = new Log();
    log.addNewestPage([message(1), message(2)], false);
    const before = log.messages;
    log.add(message(2));
    expect(log.messages).toBe(before);
    log.addTranslation(2, translation(1));
    expect(log.messages).not.toBe(before);
    expect(log.messages[0]).toBe(before[0]);
  });

  it("starts over if the newest page does not connect", () => {
    const log = new Log();
    log.addNewestPage([message(1), message(2)], false);
    log.addNewestPage([message(2), message(3)], true);
    expect([seqs(log), log.hasOlder]).toEqual([[1, 2, 3], false]);
    log.addNewestPage([message(9), message(10)], true);
    expect([seqs(log), log.hasOlder]).toEqual([[9, 10], true]);
  });

  it("prepends older pages that connect", () => {
    const log = new Log();
    log.addNewestPage([message(5)], true);
    log.addOlderPage([message(2), message(4)], true);
    expect(seqs(log)).toEqual([4, 5]);
    log.addOlderPage([message(1), message(2), message(3)], false);
    expect([seqs(log), log.hasOlder]).toEqual([[1, 2, 3, 4, 5], false]);
  });

  it("keeps the latest edit in any order", () => {
    const log = new Log();
    log.addNewestPage([message(1)], false);
    log.add(message(1, { message: "twice", edited_at: 20 }));
    log.add(message(1, { message: "once", edited_at: 10 }));
    expect(log.get(1)?.message).toBe("twice");
  });

  it("converges under loss, duplication and reordering", () => {
    for (let seed = 1; seed <= 400; seed += 1) {
      const random = new SeededRandom(seed);
      const length = 3 + random.below(30);
      const first = 1 + random.below(length);
      const versions = new Map<number, number>();
      const events: ((log: Log) => void)[] = [];
      for (let seq = 1; seq <= length; seq += 1) {
        const highest = random.below(4);
        versions.set(seq, highest);
        // Each copy of an entry has the version of the translation that was current when it was made.
        for (let copy = random.below(3); copy >= 0; copy -= 1) {
          const seen = random.below(highest + 1);
          const view = message(seq, seen > 0 ? { translations: { ja: translation(seen) } } : {});
          if (seq >= first) events.push((log) => log.add(view));
        }
        for (let version = 1; version <= highest; version += 1) {
          if (seq >= first) events.push((log) => log.addTranslation(seq, translation(version)));
        }
      }
      const page = Array.from({ length: 1 + random.below(length - first + 1) }, (_, index) => message(first + index));
      const dropped = events.filter(() => random.below(5) === 0);
      const shuffled = random.shuffled(events.filter((event) => !dropped.includes(event)));
      const at = random.below(shuffled.length + 1);
      shuffled.splice(at, 0, (log) => log.addNewestPage(page, first > 1));

      const log = new Log();
      let announced = page.at(-1)!.seq;
      const told: number[] = [];
      for (const event of [...shuffled, ...random.shuffled(dropped)]) {
        event(log);
        if (!log.loaded) continue;
        told.push(...log.entriesAfter(announced).map(({ seq }) => seq));
        announced = Math.max(announced, log.lastSeq);
        const there = seqs(log);
        expect(there, `seed ${seed}: dense`).toEqual(there.map((_, index) => first + index));
      }
      const all = Array.from({ length: length - first + 1 }, (_, index) => first + index);
      expect(seqs(log), `seed ${seed}`).toEqual(all);
      expect(told, `seed ${seed}: each once and in order`).toEqual(all.filter((seq) => seq > page.at(-1)!.seq));
      for (const seq of all) {
        expect(log.get(seq)?.translations.ja?.version ?? 0, `seed ${seed}, entry ${seq}`).toBe(versions.get(seq));
      }
    }
  });
});
