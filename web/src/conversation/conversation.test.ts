import type { Message, Translation } from "@damso/client";
import { describe, expect, test } from "vitest";
import { CHUNK_SIZE, chunksOf, isSameChunk, startsDay, startsGroup } from "./chunks.ts";
import { isSendKey, type KeyPress } from "./enter-key.ts";
import { displayOrder, translationFor, translationState } from "./entry-text.ts";
import { messageLength } from "./message-length.ts";
import { countUnread, lastReadBy, unreadDividerAfter } from "./read-state.ts";
import { parseReadingPreferences } from "./reading-preferences.ts";
import { follows, isAtEnd } from "./scroll-follow.ts";
import { snippetOf } from "./snippet.ts";

const NOON = new Date(2026, 10, 21, 12).getTime();
function message(seq: number, more: Partial<Message> = {}): Message {
  return {
    room_id: "consult:aiko:clinic",
    seq,
    message_id: `m${seq}`,
    kind: "text",
    sender: { participant: "user:aiko", user_id: "aiko" },
    message: "頭が痛いです。",
    language: "ja",
    sent_at: NOON + seq * 1000,
    translations: {},
    reply_to: null,
    ...more,
  };
}
const translation = (more: Partial<Translation> = {}): Translation => ({
  language: "ko",
  text: "머리가 아파요.",
  source: "deepl",
  status: "ok",
  version: 1,
  at: NOON,
  ...more,
});

describe("Enter key", () => {
  const press: KeyPress = { key: "Enter", keyCode: 13, isComposing: false, shiftKey: false, altKey: false };
  test("sends", () => expect(isSendKey(press)).toBe(true));
  test("with Shift starts a line", () => expect(isSendKey({ ...press, shiftKey: true })).toBe(false));
  test("does not send during a composition", () => expect(isSendKey({ ...press, isComposing: true })).toBe(false));
  test("does not send when Safari ends a composition", () => expect(isSendKey({ ...press, keyCode: 229 })).toBe(false));
  test("is the only key that sends", () => expect(isSendKey({ ...press, key: "a" })).toBe(false));
});

describe("log chunks", () => {
  const log = Array.from({ length: 100 }, (_, index) => message(index + 41));
  test("contain every message once", () => expect(chunksOf(log).flatMap((chunk) => chunk.messages)).toEqual(log));
  test("stay the same when older messages load", () => {
    const before = new Map(chunksOf(log).map((chunk) => [chunk.id, chunk]));
    const after = chunksOf([...Array.from({ length: 40 }, (_, index) => message(index + 1)), ...log]);
    const changed = after.filter((chunk) => before.has(chunk.id) && !isSameChunk(chunk, before.get(chunk.id)!));
    expect(changed.map((chunk) => chunk.id)).toEqual([Math.floor(41 / CHUNK_SIZE)]);
  });
  test("start days at midnight", () => {
    expect(startsDay(message(1), null)).toBe(true);
    expect(startsDay(message(2), message(1))).toBe(false);
    const late = { sent_at: new Date(2026, 10, 21, 23, 59).getTime() };
    expect(startsDay({ sent_at: new Date(2026, 10, 22, 0, 1).getTime() }, late)).toBe(true);
  });
  test("name a sender once per group", () => {
    expect(startsGroup(message(2), message(1))).toBe(false);
    expect(startsGroup(message(2), message(1, { sender: { participant: "user:aiko", user_id: "other" } }))).toBe(true);
    expect(startsGroup(message(2), message(1, { kind: "system" }))).toBe(true);
    expect(startsGroup(message(2, { sent_at: NOON + 6 * 60_000 }), message(1))).toBe(true);
  });
});

describe("following the end", () => {
  const end = { top: 600, height: 1000, visible: 400 };
  test("tolerates a few pixels", () => {
    expect(isAtEnd(end)).toBe(true);
    expect(isAtEnd({ ...end, top: 560 })).toBe(true);
    expect(isAtEnd({ ...end, top: 500 })).toBe(false);
  });
  test("continues when content grows below", () => {
    expect(follows({ following: true, top: 600 }, { ...end, height: 2000 })).toBe(true);
  });
  test("stops on scrolling up, resumes at the end", () => {
    expect(follows({ following: true, top: 600 }, { ...end, top: 400 })).toBe(false);
    expect(follows({ following: false, top: 400 }, end)).toBe(true);
  });
  test("leaves readers further up alone", () => {
    expect(follows({ following: false, top: 100 }, { ...end, top: 200 })).toBe(false);
  });
});

describe("read state", () => {
  test("counts only messages of others", () => {
    const log = [
      message(1),
      message(2, { sender: { participant: "hospital:clinic", user_id: "m" } }),
      message(3, { kind: "system" }),
      message(4),
    ];
    expect(countUnread(log, 1, "hospital:clinic")).toBe(1);
    expect(countUnread(log, 0, "hospital:clinic")).toBe(2);
    expect(unreadDividerAfter(log, 1, "hospital:clinic")).toBe(1);
    expect(unreadDividerAfter(log, 4, "hospital:clinic")).toBeNull();
    expect(unreadDividerAfter(log, 3, "user:aiko")).toBeNull();
  });
  const log = [message(1), message(2, { sender: { participant: "hospital:clinic", user_id: "m" } }), message(3)];
  test("includes a participant's own last message", () => {
    expect(lastReadBy("hospital:clinic", {}, log)).toBe(2);
    expect(lastReadBy("hospital:clinic", { "hospital:clinic": 3 }, log)).toBe(3);
    expect(lastReadBy("hospital:clinic", { "hospital:clinic": 1 }, log)).toBe(2);
    expect(lastReadBy(null, {}, log)).toBe(0);
  });
});

describe("translation", () => {
  test("is found for any region of a language", () => {
    const said = message(1, { translations: { ko: translation() } });
    expect(translationFor(said, "ko-KR")?.text).toBe("머리가 아파요.");
    expect(translationFor(said, "ja")).toBeUndefined();
  });
  test("is pending, then requestable, unless off", () => {
    const said = message(1);
    expect(translationState(said, "ko", "auto", false)).toBe("pending");
    expect(translationState(said, "ko", undefined, false)).toBe("pending");
    expect(translationState(said, "ko", "auto", true)).toBe("requestable");
    expect(translationState(said, "ko", "on_request", false)).toBe("requestable");
    expect(translationState(said, "ko", "off", false)).toBe("none");
    expect(translationState(said, "ja", "auto", false)).toBe("none");
  });
  test("shows failures but not identical texts", () => {
    const { text: _, ...failed } = translation({ status: "failed", reason: "quota" });
    expect(translationState(message(1, { translations: { ko: failed } }), "ko", "auto", true)).toBe("failed");
    expect(
      translationState(message(1, { translations: { ko: translation({ status: "same" }) } }), "ko", "auto", false),
    ).toBe("none");
  });
  test("follows the reader's order, except in own messages", () => {
    const both = { first: "translation", showTranslation: true, showOriginal: true } as const;
    expect(displayOrder(both, "shown", false)).toEqual(["translation", "original"]);
    expect(displayOrder({ ...both, first: "original" }, "shown", false)).toEqual(["original", "translation"]);
    expect(displayOrder(both, "shown", true)).toEqual(["original", "translation"]);
    expect(displayOrder({ ...both, showOriginal: false }, "shown", false)).toEqual(["translation"]);
    expect(displayOrder({ ...both, showOriginal: false }, "failed", false)).toEqual(["original"]);
    expect(displayOrder({ ...both, showTranslation: false }, "shown", true)).toEqual(["original"]);
  });
  test("cannot be hidden together with the original", () => {
    expect(parseReadingPreferences('{"showTranslation":false,"showOriginal":false}').showOriginal).toBe(true);
    expect(parseReadingPreferences("nonsense").first).toBe("translation");
    expect(parseReadingPreferences('{"first":"original"}').first).toBe("original");
  });
});

describe("message length", () => {
  test("is shown only near the limit", () => {
    expect(messageLength("안녕").isNearLimit).toBe(false);
    expect(messageLength("가".repeat(3_600))).toEqual({ characters: 3_600, excess: 0, isNearLimit: true });
  });
  test("counts an emoji as one character", () => expect(messageLength("😷".repeat(4_001)).excess).toBe(1));
});

describe("search snippet", () => {
  test("prefers the reader's language", () => {
    const said = message(1, { translations: { ko: translation() } });
    expect(snippetOf(said, "아파", "ko")).toEqual({ before: "머리가 ", match: "아파", after: "요." });
    expect(snippetOf(said, "痛い", "ko").match).toBe("痛い");
  });
  test("marks the text as it is written", () => {
    const text = "体温は３７．５度、Cafe\u0301の後で";
    expect(snippetOf(message(1, { message: text }), "37.5", "ja").match).toBe("３７．５");
    expect(snippetOf(message(1, { message: text }), "CAFÉ", "ja")).toEqual({
      before: "体温は３７．５度、",
      match: "Cafe\u0301",
      after: "の後で",
    });
    expect(snippetOf(message(1, { message: "İ pain" }), "pain", "en").match).toBe("pain");
  });
  test("cuts no character in two", () => {
    const text = `${"e\u0301".repeat(30)}😷 pain`;
    for (let length = 0; length < 4; length += 1) {
      const { before } = snippetOf(message(1, { message: "x".repeat(length) + text }), "pain", "en");
      expect(before).toMatch(/^… (e\u0301)+😷 $/u);
    }
  });
  test("cuts long messages before the match", () => {
    const long = snippetOf(message(1, { message: `${"x".repeat(100)} Pain` }), "pain", "en");
    expect(long.match).toBe("Pain");
    expect(long.before.length).toBeLessThan(30);
  });
});
