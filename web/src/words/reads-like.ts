/** Whether who reads one language reads the other without a translation: `ko` and `ko-KR` do, `zh-Hans` and `zh-Hant` do not. */
export function readsLike(one: string | null | undefined, other: string | null | undefined): boolean {
  if (!one || !other) return false;
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  if (a === b) return true;
  const script = (tag: string) => (/^zh\b.*\b(hant|tw|hk|mo)\b/.test(tag) ? "hant" : tag.startsWith("zh") ? "hans" : "");
  return a.split("-")[0] === b.split("-")[0] && script(a) === script(b);
}
