/** Whether readers of one language can read the other: `ko` and `ko-KR` match, `zh-Hans` and `zh-Hant` do not. */
export function languagesMatch(one: string | null | undefined, other: string | null | undefined): boolean {
  if (!one || !other) return false;
  const a = one.toLowerCase().split("-");
  const b = other.toLowerCase().split("-");
  return a[0] === b[0] && (a[0] !== "zh" || isTraditional(a) === isTraditional(b));
}

function isTraditional(subtags: readonly string[]): boolean {
  return !subtags.includes("hans") && subtags.some((subtag) => ["hant", "tw", "hk", "mo"].includes(subtag));
}
