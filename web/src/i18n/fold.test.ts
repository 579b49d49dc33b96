import { describe, expect, test } from "vitest";
import { findFolded, fold } from "./fold.ts";

/** The part of the text that is found. */
const found = (text: string, wanted: string) => {
  const range = findFolded(text, wanted);
  return range === null ? null : text.slice(range.start, range.end);
};

describe("folding", () => {
  // The same pairs as on the server.
  test.each([
    ["두통", "\u1103\u116e\u1110\u1169\u11bc"],
    ["가", "ㄱㅏ"],
    ["가", "\uffa1\uffc2"],
    ["が", "か\u3099"],
    ["アレルギー", "ｱﾚﾙｷﾞｰ"],
    ["MRI", "ｍｒｉ"],
    ["37.5", "３７．５"],
    ["STRASSE", "Straße"],
    ["ΟΔΟΣ", "οδος"],
    ["Café", "CAFE\u0301"],
    ["a b", "a\u00a0b"],
    ["5㎎", "5mg"],
    ["so\u00adft", "soft"],
    ["ﬁn", "FIN"],
  ])("unites %s and %s", (one, other) => expect(fold(one)).toBe(fold(other)));

  test.each([
    ["10²", "102"],
    ["1½", "11⁄2"],
    ["2①", "21"],
    ["か", "が"],
    ["H₂", "H2"],
    ["a", "á"],
  ])("keeps %s and %s apart", (one, other) => expect(fold(one)).not.toBe(fold(other)));
});

describe("finding", () => {
  test.each([
    ["体温は３７．５度です", "37.5", "３７．５"],
    ["카페 Cafe\u0301 앞", "café", "Cafe\u0301"],
    ["ｱﾚﾙｷﾞｰがあります", "アレルギー", "ｱﾚﾙｷﾞｰ"],
    ["\u1103\u116e\u1110\u1169\u11bc이 있어요", "두통", "\u1103\u116e\u1110\u1169\u11bc"],
    ["İstanbul MRI", "mri", "MRI"],
    ["5㎎ 복용", "mg", "㎎"],
    ["Hauptstraße 5", "STRASSE", "straße"],
    ["a so\u00adft b", "soft", "so\u00adft"],
    ["네 👨\u200d👩 MRI", "mri", "MRI"],
  ])("in %s, %s is %s", (text, wanted, part) => expect(found(text, wanted)).toBe(part));

  test("finds no half of a character", () => {
    expect(found("が", "か")).toBeNull();
    expect(found("두통", "\u200b")).toBeNull();
    expect(found("", "a")).toBeNull();
  });
});
