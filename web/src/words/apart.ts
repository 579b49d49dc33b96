/** A name within a sentence, so that a name from right to left does not turn the sentence round (Unicode's FSI and PDI). */
export function apart(name: string): string {
  return `\u2068${name}\u2069`;
}
