/** Keeps the reader's position in a log while content is added, grows or is loaded above and below it. */
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef } from "react";
import { measureChunks } from "./measure-chunks.ts";
import { follows, isAtEnd } from "./scroll-follow.ts";

interface Anchor {
  element: Element;
  top: number;
}

/** Finds the first entry that is at least partly visible, by binary search over chunks and then over entries. */
function firstVisibleEntry(scroller: HTMLElement): Element | null {
  const edge = scroller.getBoundingClientRect().top + 1;
  let found: Element | null = scroller.querySelector(".log-content");
  for (const selector of [".chunk", "[data-seq]"]) {
    const candidates: Element[] = [...(found?.querySelectorAll(`:scope > ${selector}`) ?? [])];
    let low = 0;
    let high = candidates.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((candidates[middle]?.getBoundingClientRect().bottom ?? 0) > edge) high = middle;
      else low = middle + 1;
    }
    found = candidates[low] ?? null;
  }
  return found;
}

const positionOf = (element: HTMLElement) => ({
  top: element.scrollTop,
  height: element.scrollHeight,
  visible: element.clientHeight,
});

export function useScrollAnchor(scroller: RefObject<HTMLElement | null>, onMove: (atEnd: boolean) => void) {
  const following = useRef(true);
  const top = useRef(0);
  const anchor = useRef<Anchor | null>(null);
  const latestOnMove = useRef(onMove);
  latestOnMove.current = onMove;

  const saveAnchor = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    top.current = element.scrollTop;
    const first = following.current ? null : firstVisibleEntry(element);
    anchor.current = first === null ? null : { element: first, top: first.getBoundingClientRect().top };
    latestOnMove.current(following.current);
  }, [scroller]);

  const restoreAnchor = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    if (following.current) {
      element.scrollTop = element.scrollHeight;
    } else if (anchor.current?.element.isConnected) {
      const shift = anchor.current.element.getBoundingClientRect().top - anchor.current.top;
      if (shift !== 0) element.scrollTop += shift;
    }
    saveAnchor();
  }, [scroller, saveAnchor]);

  const onScroll = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    following.current = follows({ following: following.current, top: top.current }, positionOf(element));
    saveAnchor();
  }, [scroller, saveAnchor]);

  const scrollToEnd = useCallback(() => {
    following.current = true;
    restoreAnchor();
  }, [restoreAnchor]);

  /** Shows an entry together with some of what precedes it. */
  const scrollToEntry = useCallback(
    (entry: Element) => {
      const element = scroller.current;
      if (element === null) return;
      const offset = entry.getBoundingClientRect().top - element.getBoundingClientRect().top;
      element.scrollTop += offset - element.clientHeight / 4;
      following.current = isAtEnd(positionOf(element));
      saveAnchor();
    },
    [scroller, saveAnchor],
  );

  // After every render, and after changes of height that React does not cause: fonts, a rotated phone, a keyboard.
  useLayoutEffect(restoreAnchor);
  useEffect(() => {
    const element = scroller.current;
    const content = element?.querySelector(".log-content");
    if (element == null || content == null) return;
    let width = element.clientWidth;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth !== width) {
        width = element.clientWidth;
        measureChunks(...element.querySelectorAll<HTMLElement>(".chunk"));
      }
      restoreAnchor();
    });
    observer.observe(element);
    observer.observe(content);
    return () => observer.disconnect();
  }, [scroller, restoreAnchor]);

  return { onScroll, scrollToEnd, scrollToEntry };
}
