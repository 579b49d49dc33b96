import { describe, expect, it } from "vitest";
import type { Message, Translation } from "../src/index.js";
import { Log } from "../src/log.js";
import { entry } from "./fake-server.js";
import { Chance } from "./chance.js";

const ROOM = "consult:u:h";
const message = (seq: number, more = {}) => entry(ROOM, seq, more) as Message;
const translation = (version: number, language = "ja"): Translation =>
  ({ language, text: `v${version}`, source: "deepl", status: "ok", version, at: version });
const seqs = (log: Log) => log.messages.map(({ seq }) => seq);

describe("the log", () => {
  it("shows nothing before its newest page is there, and then what came meanwhile too", () => {
    const log = new Log();
    log.take(message(4));
    expect(seqs(log)).toEqual([]);
    log.start([message(2), message(3)], true);
    expect(seqs(log)).toEqual([2, 3, 4]);
  });

  it("keeps what is ahead until the gap is closed", () => {
    const log = new Log();
    log.start([message(1)], false);
    log.take(message(3));
    expect([seqs(log), log.isBehind]).toEqual([[1], true]);
    log.take(message(2));
    expect([seqs(log), log.isBehind]).toEqual([[1, 2, 3], false]);
  });

  it("is behind where it only heard of something", () => {
    const log = new Log();
    log.start([message(1)], false);
    log.hearOf(2);
    expect(log.isBehind).toBe(true);
  });

  it("takes the highest version of a translation, even before its entry came", () => {
    const log = new Log();
    log.start([message(1)], false);
    log.takeTranslation(2, translation(2));
    log.takeTranslation(2, translation(1));
    log.take(message(2, { translations: { ja: translation(1) } }));
    expect(log.at(2)?.translations.ja?.version).toBe(2);
    log.takeTranslation(2, translation(3));
    log.take(message(2));
    expect(log.at(2)?.translations.ja?.version).toBe(3);
  });

  it("gives the same array and the same entries as long as nothing changes", () => {
    const log = new Log();
    log.start([message(1), message(2)], false);
    const before = log.messages;
    log.take(message(2));
    expect(log.messages).toBe(before);
    log.takeTranslation(2, translation(1));
    expect(log.messages).not.toBe(before);
    expect(log.messages[0]).toBe(before[0]);
  });

  it("goes on where a newest page joins it, and begins anew where it does not", () => {
    const log = new Log();
    log.start([message(1), message(2)], false);
    log.start([message(2), message(3)], true);
    expect([seqs(log), log.hasOlder]).toEqual([[1, 2, 3], false]);
    log.start([message(9), message(10)], true);
    expect([seqs(log), log.hasOlder]).toEqual([[9, 10], true]);
  });

  it("puts older pages before it, as far as they join", () => {
    const log = new Log();
    log.start([message(5)], true);
    log.prepend([message(2), message(4)], true);
    expect(seqs(log)).toEqual([4, 5]);
    log.prepend([message(1), message(2), message(3)], false);
    expect([seqs(log), log.hasOlder]).toEqual([[1, 2, 3, 4, 5], false]);
  });

  it("has an edited entry as it was edited last, in whichever order the views come", () => {
    const log = new Log();
    log.start([message(1)], false);
    log.take(message(1, { message: "twice", edited_at: 20 }));
    log.take(message(1, { message: "once", edited_at: 10 }));
    expect(log.at(1)?.message).toBe("twice");
  });

  it("ends the same however entries and translations are dropped, doubled, reordered and late", () => {
    for (let seed = 1; seed <= 400; seed += 1) {
      const chance = new Chance(seed);
      const length = 3 + chance.below(30);
      const first = 1 + chance.below(length);
      const versions = new Map<number, number>();
      const events: ((log: Log) => void)[] = [];
      for (let seq = 1; seq <= length; seq += 1) {
        const highest = chance.below(4);
        versions.set(seq, highest);
        // Each view of an entry has the translation as it was when it was taken.
        for (let copy = chance.below(3); copy >= 0; copy -= 1) {
          const seen = chance.below(highest + 1);
          const view = message(seq, seen > 0 ? { translations: { ja: translation(seen) } } : {});
          if (seq >= first) events.push((log) => log.take(view));
        }
        for (let version = 1; version <= highest; version += 1) {
          if (seq >= first) events.push((log) => log.takeTranslation(seq, translation(version)));
        }
      }
      const page = Array.from({ length: 1 + chance.below(length - first + 1) }, (_, index) => message(first + index));
      const dropped = events.filter(() => chance.below(5) === 0);
      const shuffled = chance.shuffled(events.filter((event) => !dropped.includes(event)));
      const at = chance.below(shuffled.length + 1);
      shuffled.splice(at, 0, (log) => log.start(page, first > 1));

      const log = new Log();
      let announced = page.at(-1)!.seq;
      const told: number[] = [];
      for (const event of [...shuffled, ...chance.shuffled(dropped)]) {
        event(log);
        if (!log.loaded) continue;
        told.push(...log.after(announced).map(({ seq }) => seq));
        announced = Math.max(announced, log.upTo);
        const there = seqs(log);
        expect(there, `seed ${seed}: dense`).toEqual(there.map((_, index) => first + index));
      }
      const all = Array.from({ length: length - first + 1 }, (_, index) => first + index);
      expect(seqs(log), `seed ${seed}`).toEqual(all);
      expect(told, `seed ${seed}: each once and in order`).toEqual(all.filter((seq) => seq > page.at(-1)!.seq));
      for (const seq of all) {
        expect(log.at(seq)?.translations.ja?.version ?? 0, `seed ${seed}, entry ${seq}`).toBe(versions.get(seq));
      }
    }
  });
});
