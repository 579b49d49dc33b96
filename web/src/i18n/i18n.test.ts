import { describe, expect, test } from "vitest";
import { daysBetween, formatOf } from "./format.ts";
import { chooseLanguage, type InterfaceLanguage, strings } from "./index.ts";
import { languagesMatch } from "./languages-match.ts";

type Tree = { [key: string]: unknown };
function leaves(tree: Tree, path = ""): [string, unknown][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "object" && value !== null
      ? leaves(value as Tree, `${path}${key}.`)
      : [[path + key, value] as [string, unknown]],
  );
}

describe("the dictionaries", () => {
  const english = leaves(strings.en);

  test.each(["ko", "ja"] as const)("%s says everything that English says, and nothing else", (language) => {
    const others = leaves(strings[language]);
    expect(others.map(([key]) => key).sort()).toEqual(english.map(([key]) => key).sort());
  });

  test.each(["ko", "ja", "en"] as const)(
    "%s leaves nothing empty, and every sentence uses what it is told",
    (language) => {
      for (const [key, value] of leaves(strings[language])) {
        if (typeof value === "string") expect(value.trim(), key).not.toBe("");
        if (typeof value !== "function" || value.length === 0) continue;
        const said = String(value(...Array.from({ length: value.length }, (_, index) => 7001 + index)));
        for (let index = 0; index < value.length; index += 1) expect(said, key).toContain(String(7001 + index));
      }
    },
  );

  test("Korean and Japanese are not English that was left standing", () => {
    const own: Record<InterfaceLanguage, RegExp> = { ko: /[가-힣]/, ja: /[ぁ-んァ-ヶ一-龠]/, en: /[a-z]/i };
    for (const language of ["ko", "ja"] as const) {
      const same = leaves(strings[language]).filter(
        ([key, value]) => typeof value === "string" && key !== "product" && !own[language].test(value),
      );
      expect(same).toEqual([]);
    }
  });
});

describe("choosing a language", () => {
  test("the first wish that the interface speaks counts", () => {
    expect(chooseLanguage([null, "de-DE", "ja-JP", "ko"])).toBe("ja");
    expect(chooseLanguage([undefined, "KO_kr"])).toBe("ko");
  });
  test("English where it speaks none of them", () => expect(chooseLanguage(["ar", "th"])).toBe("en"));
});

describe("reading a language", () => {
  test("regions do not matter", () => expect(languagesMatch("ko-KR", "KO")).toBe(true));
  test("the two ways of writing Chinese do", () => {
    expect(languagesMatch("zh-Hans", "zh-Hant")).toBe(false);
    expect(languagesMatch("zh-TW", "zh-Hant")).toBe(true);
    expect(languagesMatch("zh-CN", "zh")).toBe(true);
  });
  test("nothing reads like what is not known", () => expect(languagesMatch(null, null)).toBe(false));
});

describe("times", () => {
  const at = (day: number, hour: number) => new Date(2026, 9, day, hour).getTime();
  test("days are those of the calendar, not of 24 hours", () => {
    expect(daysBetween(at(3, 23), at(4, 1))).toBe(1);
    expect(daysBetween(at(4, 0), at(4, 23))).toBe(0);
    // The night in which summer time ends has 25 hours.
    expect(daysBetween(at(24, 12), at(26, 12))).toBe(2);
  });
  test("today and yesterday have names", () => {
    expect(formatOf("ja").day(at(4, 9), at(4, 20))).toBe("今日");
    expect(formatOf("ko").day(at(3, 9), at(4, 20))).toBe("어제");
    expect(formatOf("en").day(at(1, 9), at(4, 20))).toContain("October");
  });
  test("how long to wait is never nothing", () => expect(formatOf("en").duration(0)).toBe("1 second"));
});
