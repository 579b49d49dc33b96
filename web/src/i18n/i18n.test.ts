import { describe, expect, test } from "vitest";
import { daysBetween, formatOf } from "./format.ts";
import { chooseLanguage, type InterfaceLanguage, strings } from "./index.ts";

type Tree = { [key: string]: unknown };
function leaves(tree: Tree, path = ""): [string, unknown][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "object" && value !== null
      ? leaves(value as Tree, `${path}${key}.`)
      : [[path + key, value] as [string, unknown]],
  );
}

describe("strings", () => {
  const english = leaves(strings.en);

  test.each(["ko", "ja"] as const)("%s has the same keys as English", (language) => {
    const others = leaves(strings[language]);
    expect(others.map(([key]) => key).sort()).toEqual(english.map(([key]) => key).sort());
  });

  test.each(["ko", "ja", "en"] as const)("%s uses every argument and is never empty", (language) => {
    for (const [key, value] of leaves(strings[language])) {
      if (typeof value === "string") expect(value.trim(), key).not.toBe("");
      if (typeof value !== "function" || value.length === 0) continue;
      const text = String(value(...Array.from({ length: value.length }, (_, index) => 7001 + index)));
      for (let index = 0; index < value.length; index += 1) expect(text, key).toContain(String(7001 + index));
    }
  });

  test("Korean and Japanese contain no English", () => {
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
  test("takes the first supported preference", () => {
    expect(chooseLanguage([null, "de-DE", "ja-JP", "ko"])).toBe("ja");
    expect(chooseLanguage([undefined, "KO_kr"])).toBe("ko");
  });
  test("falls back to English", () => expect(chooseLanguage(["ar", "th"])).toBe("en"));
});

describe("formats", () => {
  const at = (day: number, hour: number) => new Date(2026, 9, day, hour).getTime();
  test("days follow the calendar", () => {
    expect(daysBetween(at(3, 23), at(4, 1))).toBe(1);
    expect(daysBetween(at(4, 0), at(4, 23))).toBe(0);
    // The day on which daylight saving time ends has 25 hours.
    expect(daysBetween(at(24, 12), at(26, 12))).toBe(2);
  });
  test("today and yesterday have names", () => {
    expect(formatOf("ja").day(at(4, 9), at(4, 20))).toBe("今日");
    expect(formatOf("ko").day(at(3, 9), at(4, 20))).toBe("어제");
    expect(formatOf("en").day(at(1, 9), at(4, 20))).toContain("October");
  });
  test("durations are never zero", () => expect(formatOf("en").duration(0)).toBe("1 second"));
});
