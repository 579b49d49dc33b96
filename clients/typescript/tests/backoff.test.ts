import { expect, it } from "vitest";
import { Backoff } from "../src/backoff.js";

it("doubles delays up to a maximum", () => {
  const highest = new Backoff(500, 30_000, () => 0.999_999);
  const waits = Array.from({ length: 9 }, () => Math.round(highest.nextMs()));
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  expect(new Backoff(500, 30_000, () => 0).nextMs()).toBe(0);
});

it("starts over after a reset", () => {
  const backoff = new Backoff(500, 30_000, () => 1);
  backoff.nextMs();
  backoff.nextMs();
  backoff.reset();
  expect(backoff.nextMs()).toBe(500);
});

it("never exceeds the maximum delay", () => {
  const backoff = new Backoff(500, 30_000, () => 1);
  for (let failure = 0; failure < 5_000; failure += 1) backoff.nextMs();
  expect(backoff.nextMs()).toBe(30_000);
});
