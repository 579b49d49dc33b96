import type { LastMessage, Room, Translation } from "@damso/client";
import { describe, expect, test } from "vitest";
import { previewOf } from "./preview.ts";
import { matchesQuery } from "./room-filter.ts";

const translation: Translation = {
  language: "ja",
  text: "こんにちは",
  source: "deepl",
  status: "ok",
  version: 1,
  at: 0,
};
const last: LastMessage = {
  seq: 1,
  message: "안녕하세요",
  language: "ko",
  sender: { participant: "hospital:clinic", user_id: "minjun" },
  sent_at: 0,
};

describe("preview", () => {
  test("is the translation if there is one", () => {
    expect(previewOf({ ...last, translation })).toEqual({ text: "こんにちは", language: "ja" });
  });
  test("is otherwise the original", () => {
    const { text: _, ...failed } = translation;
    const original = { text: "안녕하세요", language: "ko" };
    expect(previewOf(last)).toEqual(original);
    expect(previewOf({ ...last, translation: { ...failed, status: "failed" } })).toEqual(original);
    expect(previewOf({ ...last, translation: { ...translation, status: "same" } })).toEqual(original);
  });
});

describe("room search", () => {
  const room = {
    room_id: "consult:aiko:clinic",
    kind: "consult",
    name: null,
    members: [
      { participant: "hospital:clinic", role: "staff", language: "ko", name: "Ｓｅｏｕｌ Clinic", last_read_seq: 0 },
    ],
    last_message: { ...last, translation },
  } as unknown as Room;
  test.each(["seoul", "CLINIC", "안녕", "こんにちは", "\u110b\u1161\u11ab녕"])("finds %s", (query) => {
    expect(matchesQuery(room, query, "user:aiko")).toBe(true);
  });
  test("needs every word", () => expect(matchesQuery(room, "seoul tokyo", "user:aiko")).toBe(false));
});
