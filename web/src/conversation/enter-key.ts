export interface KeyPress {
  key: string;
  keyCode: number;
  isComposing: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

/**
 * Enter sends the message, except with Shift or Alt, which start a new line, and except while Korean, Japanese or
 * Chinese is being composed, where it confirms the composition. Safari ends the composition first and reveals that case
 * only by the key code 229.
 */
export function isSendKey(press: KeyPress): boolean {
  return press.key === "Enter" && !press.shiftKey && !press.altKey && !press.isComposing && press.keyCode !== 229;
}
