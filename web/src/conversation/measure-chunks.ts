/**
 * Sets the height that each chunk has while the browser skips it. It is measured, because a guess would be wrong and
 * `contain-intrinsic-size: auto` remembers the height before the last change, which would make the log jump.
 */
export function measureChunks(...chunks: HTMLElement[]): void {
  for (const chunk of chunks) chunk.style.contentVisibility = "visible";
  const heights = chunks.map((chunk) => chunk.getBoundingClientRect().height);
  chunks.forEach((chunk, index) => {
    chunk.style.containIntrinsicBlockSize = `${heights[index]}px`;
    chunk.style.contentVisibility = "auto";
  });
}
