import { expect, it } from "vitest";
import { Backoff } from "../src/backoff.js";

it("waits double up to the longest, each with full jitter", () => {
  const highest = new Backoff(500, 30_000, () => 0.999_999);
  const waits = Array.from({ length: 9 }, () => Math.round(highest.next()));
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  expect(new Backoff(500, 30_000, () => 0).next()).toBe(0);
});

it("begins anew once something succeeded", () => {
  const backoff = new Backoff(500, 30_000, () => 1);
  backoff.next();
  backoff.next();
  backoff.reset();
  expect(backoff.next()).toBe(500);
});

it("never waits for ever, however often it failed", () => {
  const backoff = new Backoff(500, 30_000, () => 1);
  for (let failure = 0; failure < 5_000; failure += 1) backoff.next();
  expect(backoff.next()).toBe(30_000);
});
