/** Whether readers of one language can read the other: `ko` and `ko-KR` match, `zh-Hans` and `zh-Hant` do not. */
export function languagesMatch(one: string | null | undefined, other: string | null | undefined): boolean {
  if (!one || !other) return false;
  const a = one.toLowerCase();
  const b = other.toLowerCase();
  if (a === b) return true;
  const script = (tag: string) =>
    /^zh\b.*\b(hant|tw|hk|mo)\b/.test(tag) ? "hant" : tag.startsWith("zh") ? "hans" : "";
  return a.split("-")[0] === b.split("-")[0] && script(a) === script(b);
}
