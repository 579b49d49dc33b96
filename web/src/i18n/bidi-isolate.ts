/** Wraps a name in Unicode's FSI and PDI, so that a right-to-left name does not reorder the sentence around it. */
export function bidiIsolate(name: string): string {
  return `\u2068${name}\u2069`;
}
