import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const css = readFileSync(new URL("colors.css", import.meta.url), "utf8");
/** What is said about a selector, line by line. */
const said = (selector: string) =>
  css
    .slice(css.indexOf(selector))
    .split("{")[1]
    ?.split("}")[0]
    ?.split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

test("a dark system has the same colours before the script runs as after it", () => {
  expect(said(":root:not([data-theme])")).toEqual(said(':root[data-theme="dark"]'));
  expect(said(':root[data-theme="dark"]')?.length).toBeGreaterThan(30);
});
