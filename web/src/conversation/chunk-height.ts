/**
 * How high a piece of the log is while the browser skips it. Measured, not guessed, and not left to the browser to
 * remember (`contain-intrinsic-size: auto`): that is the height before the last change, and the log would jump.
 */
export function measure(...chunks: HTMLElement[]): void {
  for (const chunk of chunks) chunk.style.contentVisibility = "visible";
  const heights = chunks.map((chunk) => chunk.getBoundingClientRect().height);
  chunks.forEach((chunk, index) => {
    chunk.style.containIntrinsicBlockSize = `${heights[index]}px`;
    chunk.style.contentVisibility = "auto";
  });
}
