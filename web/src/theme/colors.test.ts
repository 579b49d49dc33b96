import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const css = readFileSync(new URL("colors.css", import.meta.url), "utf8");
/** The declarations of a rule. */
const declarations = (selector: string) =>
  css
    .slice(css.indexOf(selector))
    .split("{")[1]
    ?.split("}")[0]
    ?.split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

test("both definitions of the dark theme match", () => {
  expect(declarations(":root:not([data-theme])")).toEqual(declarations(':root[data-theme="dark"]'));
  expect(declarations(':root[data-theme="dark"]')?.length).toBeGreaterThan(30);
});
