import { expect, it } from "vitest";
import { languagesMatch } from "../src/index.js";

it("ignores regions and case", () => expect(languagesMatch("ko-KR", "KO")).toBe(true));

it("distinguishes the scripts of Chinese", () => {
  expect(languagesMatch("zh-Hans", "zh-Hant")).toBe(false);
  expect(languagesMatch("zh-TW", "zh-Hant")).toBe(true);
  expect(languagesMatch("zh-CN", "zh")).toBe(true);
  expect(languagesMatch("zh-Hans-HK", "zh-Hans")).toBe(true);
});

it("never matches unknown languages", () => expect(languagesMatch(null, null)).toBe(false));
