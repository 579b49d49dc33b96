/** Keeps a reader's place in a log, whatever is added above or below, grows or is loaded. */
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef } from "react";
import { measure } from "./chunk-height.ts";
import { follows, isAtEnd } from "./stick.ts";

interface Anchor {
  element: Element;
  top: number;
}

/** The first entry that reaches into the visible part. */
function firstVisible(scroller: HTMLElement): Element | null {
  const edge = scroller.getBoundingClientRect().top + 1;
  let within: Element | null = scroller.querySelector(".log-content");
  for (const selector of [".chunk", "[data-seq]"]) {
    const parts: Element[] = [...(within?.querySelectorAll(`:scope > ${selector}`) ?? [])];
    let low = 0;
    let high = parts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((parts[middle]?.getBoundingClientRect().bottom ?? 0) > edge) high = middle;
      else low = middle + 1;
    }
    within = parts[low] ?? null;
  }
  return within;
}

export function usePlace(scroller: RefObject<HTMLElement | null>, moved: (atEnd: boolean) => void) {
  const following = useRef(true);
  const top = useRef(0);
  const anchor = useRef<Anchor | null>(null);
  const tell = useRef(moved);
  tell.current = moved;

  const remember = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    top.current = element.scrollTop;
    const first = following.current ? null : firstVisible(element);
    anchor.current = first === null ? null : { element: first, top: first.getBoundingClientRect().top };
    tell.current(following.current);
  }, [scroller]);

  const settle = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    if (following.current) element.scrollTop = element.scrollHeight;
    else if (anchor.current?.element.isConnected) {
      const shift = anchor.current.element.getBoundingClientRect().top - anchor.current.top;
      if (shift !== 0) element.scrollTop += shift;
    }
    remember();
  }, [scroller, remember]);

  const onScroll = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    const now = { top: element.scrollTop, height: element.scrollHeight, visible: element.clientHeight };
    following.current = follows({ following: following.current, top: top.current }, now);
    remember();
  }, [scroller, remember]);

  const toEnd = useCallback(() => {
    following.current = true;
    settle();
  }, [settle]);

  /** Shows an entry with some of what comes before it. */
  const toEntry = useCallback(
    (entry: Element) => {
      const element = scroller.current;
      if (element === null) return;
      const offset = entry.getBoundingClientRect().top - element.getBoundingClientRect().top;
      element.scrollTop += offset - element.clientHeight / 4;
      following.current = isAtEnd({ top: element.scrollTop, height: element.scrollHeight, visible: element.clientHeight });
      remember();
    },
    [scroller, remember],
  );

  // After everything that React draws, and after what changes its height by itself: fonts, a turned phone, a keyboard.
  useLayoutEffect(settle);
  useEffect(() => {
    const element = scroller.current;
    const content = element?.querySelector(".log-content");
    if (element == null || content == null) return;
    let width = element.clientWidth;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth !== width) {
        width = element.clientWidth;
        measure(...element.querySelectorAll<HTMLElement>(".chunk"));
      }
      settle();
    });
    observer.observe(element);
    observer.observe(content);
    return () => observer.disconnect();
  }, [scroller, settle]);

  return { onScroll, toEnd, toEntry };
}
