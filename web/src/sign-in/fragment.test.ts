import { describe, expect, test } from "vitest";
import { readClaims } from "./claims.ts";
import { isUnencrypted, parseAddress, parseFragment } from "./fragment.ts";

const TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhaWtvIn0.c2lnbmF0dXJl";
const base64url = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

describe("link", () => {
  test("signs in one person", () => {
    expect(parseFragment(`#url=ws://127.0.0.1:3001/dev&token=${TOKEN}`)).toEqual([
      { url: "ws://127.0.0.1:3001/dev", token: TOKEN },
    ]);
  });
  test("can carry a name in any script", () => {
    const url = encodeURIComponent("wss://chat.example/prod");
    const name = encodeURIComponent("愛子");
    expect(parseFragment(`#url=${url}&token=${TOKEN}&name=${name}`)).toEqual([
      { url: "wss://chat.example/prod", token: TOKEN, name: "愛子" },
    ]);
  });
  test("signs in two people", () => {
    const one = { url: "ws://127.0.0.1:3001/dev", token: TOKEN, name: "민준" };
    expect(parseFragment(`#pair=${base64url([one, { ...one, name: "愛子" }])}`)?.map((person) => person.name)).toEqual([
      "민준",
      "愛子",
    ]);
  });
  test.each([
    ["", "empty"],
    ["#url=ws://127.0.0.1:3001/dev", "no token"],
    [`#token=${TOKEN}`, "no address"],
    [`#url=https://chat.example&token=${TOKEN}`, "not a WebSocket address"],
    [`#url=javascript:alert(1)&token=${TOKEN}`, "a script"],
    ["#url=ws://127.0.0.1:3001/dev&token=abc", "no JWT"],
    ["#pair=%%%", "no base64"],
    [`#pair=${base64url("{")}`, "no JSON"],
    [`#pair=${base64url([{ url: "ws://h/dev", token: TOKEN }])}`, "only one person"],
    [`#pair=${base64url([null, 7])}`, "no people"],
  ])("%s signs in nobody (%s)", (fragment) => expect(parseFragment(fragment)).toBeNull());
});

describe("address", () => {
  test("loses its trailing slash", () => expect(parseAddress(" wss://h.example/prod/ ")).toBe("wss://h.example/prod"));
  test("is unencrypted only beyond this machine", () => {
    expect(isUnencrypted("ws://127.0.0.1:3001/dev")).toBe(false);
    expect(isUnencrypted("wss://chat.example/prod")).toBe(false);
    expect(isUnencrypted("ws://chat.example/prod")).toBe(true);
  });
});

describe("token claims", () => {
  const token = (claims: unknown) => `x.${base64url(claims)}.y`;
  test("patients speak for themselves", () => {
    expect(readClaims(token({ sub: "aiko", name: "愛子", language: "ja", exp: 10 }))).toEqual({
      userId: "aiko",
      participant: "user:aiko",
      hospitalId: null,
      name: "愛子",
      language: "ja",
      expiresAt: 10_000,
    });
  });
  test("staff speak for their hospital", () => {
    expect(readClaims(token({ sub: "m", user_type: "hospital", hospital_id: "h9" })).participant).toBe("hospital:h9");
  });
  test("hospital_id alone makes nobody staff", () => {
    expect(readClaims(token({ sub: "m", hospital_id: "h9" })).participant).toBe("user:m");
  });
  test("are empty for an unreadable token", () => expect(readClaims("x.%.y").expiresAt).toBeNull());
});
