/** What the Enter key means while somebody writes. */

export interface Key {
  key: string;
  keyCode: number;
  isComposing: boolean;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/**
 * Enter sends, except where it begins a line (with Shift or Alt) or ends a syllable: while Korean, Japanese or Chinese
 * is composed, it chooses what was typed. Safari says so by the key code 229 alone, for it ends the composition first.
 */
export function sends(key: Key): boolean {
  return key.key === "Enter" && !key.shiftKey && !key.altKey && !key.isComposing && key.keyCode !== 229;
}
