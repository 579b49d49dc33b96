import { describe, expect, test } from "vitest";
import { readClaims } from "./claims.ts";
import { isUnencrypted, parseAddress, parseFragment } from "./fragment.ts";

const TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhaWtvIn0.c2lnbmF0dXJl";
const base64url = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

describe("a link", () => {
  test("signs one person in", () => {
    expect(parseFragment(`#url=ws://127.0.0.1:3001/dev&token=${TOKEN}`)).toEqual([
      { url: "ws://127.0.0.1:3001/dev", token: TOKEN },
    ]);
  });
  test("may say what to call them, in any script", () => {
    const link = `#url=${encodeURIComponent("wss://chat.example/prod")}&token=${TOKEN}&name=${encodeURIComponent("愛子")}`;
    expect(parseFragment(link)).toEqual([{ url: "wss://chat.example/prod", token: TOKEN, name: "愛子" }]);
  });
  test("signs two people in side by side", () => {
    const one = { url: "ws://127.0.0.1:3001/dev", token: TOKEN, name: "민준" };
    expect(parseFragment(`#pair=${base64url([one, { ...one, name: "愛子" }])}`)?.map((person) => person.name)).toEqual([
      "민준",
      "愛子",
    ]);
  });
  test.each([
    ["", "nothing"],
    ["#url=ws://127.0.0.1:3001/dev", "no token"],
    [`#token=${TOKEN}`, "no address"],
    [`#url=https://chat.example&token=${TOKEN}`, "an address of another kind"],
    [`#url=javascript:alert(1)&token=${TOKEN}`, "a script"],
    ["#url=ws://127.0.0.1:3001/dev&token=abc", "what is no token"],
    ["#pair=%%%", "what is not base64"],
    [`#pair=${base64url("{")}`, "what is not JSON"],
    [`#pair=${base64url([{ url: "ws://h/dev", token: TOKEN }])}`, "one of two"],
    [`#pair=${base64url([null, 7])}`, "no people"],
  ])("%s signs nobody in (%s)", (fragment) => expect(parseFragment(fragment)).toBeNull());
});

describe("an address", () => {
  test("loses its last slash, so that the stage stays what it is", () =>
    expect(parseAddress(" wss://h.example/prod/ ")).toBe("wss://h.example/prod"));
  test("without encryption is fine on one's own machine only", () => {
    expect(isUnencrypted("ws://127.0.0.1:3001/dev")).toBe(false);
    expect(isUnencrypted("wss://chat.example/prod")).toBe(false);
    expect(isUnencrypted("ws://chat.example/prod")).toBe(true);
  });
});

describe("a token's claims", () => {
  const token = (claims: unknown) => `x.${base64url(claims)}.y`;
  test("a patient speaks for themself", () => {
    expect(readClaims(token({ sub: "aiko", name: "愛子", language: "ja", exp: 10 }))).toEqual({
      userId: "aiko",
      participant: "user:aiko",
      hospitalId: null,
      name: "愛子",
      language: "ja",
      expiresAt: 10_000,
    });
  });
  test("staff speaks for the hospital", () => {
    expect(readClaims(token({ sub: "m", user_type: "hospital", hospital_id: "h9" })).participant).toBe("hospital:h9");
  });
  test("a hospital's name alone makes nobody staff", () => {
    expect(readClaims(token({ sub: "m", hospital_id: "h9" })).participant).toBe("user:m");
  });
  test("what cannot be read says nothing", () => expect(readClaims("x.%.y").expiresAt).toBeNull());
});
