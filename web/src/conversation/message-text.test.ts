import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test } from "vitest";
import { MessageText } from "./message-text.tsx";
import { textParts, withLineBreaks } from "./text-parts.ts";

const links = (text: string) => textParts(text).flatMap((part) => (part.isLink ? part.text : []));

describe("line breaks", () => {
  test.each(["\n", "\r", "\r\n", "\v", "\f", "\u0085", "\u2028", "\u2029"])("%j breaks the line", (lineBreak) => {
    expect(withLineBreaks(`one${lineBreak}two`)).toBe("one\ntwo");
  });
  test("are not lost or added", () => expect(withLineBreaks("a\r\r\nb\n\rc")).toBe("a\n\nb\n\nc"));
});

describe("web addresses", () => {
  test.each([
    ["https://example.com", "https://example.com"],
    ["HTTP://Example.com/A?b=c&d=%20#e", "HTTP://Example.com/A?b=c&d=%20#e"],
    ["see https://example.com/a.", "https://example.com/a"],
    ["really?! https://example.com/a?!", "https://example.com/a"],
    ["(https://example.com/a)", "https://example.com/a"],
    ["[https://example.com/a].", "https://example.com/a"],
    ["https://example.com/a_(b)", "https://example.com/a_(b)"],
    ["(https://example.com/a_(b)),", "https://example.com/a_(b)"],
    ["'https://example.com/'", "https://example.com/"],
    ["<https://example.com/>", "https://example.com/"],
    ["https://example.com/a을 보세요", "https://example.com/a"],
    ["予約はhttps://example.com/aです。", "https://example.com/a"],
    ["「https://example.com/a」", "https://example.com/a"],
    ["https://example.com/a、次", "https://example.com/a"],
    ["https://[2001:db8::1]:8080/a", "https://[2001:db8::1]:8080/a"],
    ["https://medium.com/@user", "https://medium.com/@user"],
  ])("%s links to %s", (text, address) => expect(links(text)).toEqual([address]));

  test.each([
    "example.com",
    "javascript:alert(1)",
    "ftp://example.com",
    "data:text/html,a",
    "https://",
    "https://...",
    "xhttps://example.com",
    "https://bank.example@evil.example/",
    "https://user:secret@example.com/",
  ])("%s is no link", (text) => expect(links(text)).toEqual([]));

  test("leave the text as it is", () => {
    const text = "a https://one.example/, b (https://two.example/x) c";
    expect(textParts(text).map((part) => part.text)).toEqual([
      "a ",
      "https://one.example/",
      ", b (",
      "https://two.example/x",
      ") c",
    ]);
  });

  test("are found before thousands of brackets", () => {
    expect(links(`https://example.com/${")".repeat(4_000)}`)).toEqual(["https://example.com/"]);
  });
});

test("links open outside and reveal nothing", () => {
  const text = `<b>https://example.com/?a=1&b="</b>`;
  expect(renderToStaticMarkup(createElement(MessageText, { text, language: "en" }))).toBe(
    '<p class="entry-text" dir="auto" lang="en">&lt;b&gt;' +
      '<a href="https://example.com/?a=1&amp;b=" dir="ltr" target="_blank" rel="noopener noreferrer">' +
      "https://example.com/?a=1&amp;b=</a>&quot;&lt;/b&gt;</p>",
  );
});
