/** Times, numbers and language names in the language of the user interface. */
import type { InterfaceLanguage } from "./index.ts";
import { strings } from "./index.ts";

export interface Format {
  time: (at: number) => string;
  /** For the room list: the time if it is today, otherwise the date. */
  short: (at: number, now: number) => string;
  day: (at: number, now: number) => string;
  exact: (at: number) => string;
  number: (value: number) => string;
  duration: (durationMs: number) => string;
  /** The name of a language. Null if it is unknown. */
  language: (tag: string | null | undefined) => string | null;
}

/** Calendar days between two times in the device's time zone. Daylight saving time does not shift them. */
export function daysBetween(earlier: number, later: number): number {
  const midnight = (at: number) => {
    const date = new Date(at);
    return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  };
  return Math.round((midnight(later) - midnight(earlier)) / 86_400_000);
}

const cache = new Map<InterfaceLanguage, Format>();

export function formatOf(language: InterfaceLanguage): Format {
  const known = cache.get(language);
  if (known !== undefined) return known;
  // Prefer the regional variant of the browser: readers of British English expect British times.
  const locale = globalThis.navigator?.languages?.find((tag) => tag.split("-")[0] === language) ?? language;
  const time = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" });
  const dayOfYear = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric" });
  const date = new Intl.DateTimeFormat(locale, { year: "numeric", month: "numeric", day: "numeric" });
  const day = new Intl.DateTimeFormat(locale, { year: "numeric", month: "long", day: "numeric", weekday: "long" });
  const dayOfThisYear = new Intl.DateTimeFormat(locale, { month: "long", day: "numeric", weekday: "long" });
  const exact = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium" });
  const number = new Intl.NumberFormat(language);
  const seconds = new Intl.NumberFormat(language, { style: "unit", unit: "second", unitDisplay: "long" });
  const minutes = new Intl.NumberFormat(language, { style: "unit", unit: "minute", unitDisplay: "long" });
  const languages = new Intl.DisplayNames(language, { type: "language", fallback: "none" });
  const sameYear = (one: number, other: number) => new Date(one).getFullYear() === new Date(other).getFullYear();
  const format: Format = {
    time: (at) => time.format(at),
    short: (at, now) =>
      daysBetween(at, now) === 0
        ? time.format(at)
        : daysBetween(at, now) === 1
          ? strings[language].log.yesterday
          : (sameYear(at, now) ? dayOfYear : date).format(at),
    day: (at, now) => {
      const ago = daysBetween(at, now);
      if (ago === 0) return strings[language].log.today;
      if (ago === 1) return strings[language].log.yesterday;
      return (sameYear(at, now) ? dayOfThisYear : day).format(at);
    },
    exact: (at) => exact.format(at),
    number: (value) => number.format(value),
    duration: (durationMs) => {
      const whole = Math.max(1, Math.ceil(durationMs / 1000));
      return whole < 90 ? seconds.format(whole) : minutes.format(Math.ceil(whole / 60));
    },
    language: (tag) => {
      if (!tag) return null;
      try {
        return languages.of(tag) ?? null;
      } catch {
        return null;
      }
    },
  };
  cache.set(language, format);
  return format;
}
