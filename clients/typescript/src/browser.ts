export interface BrowserListener {
  /** The page became visible or hidden. Called at once with the present state. */
  visible(visible: boolean): void;
  /** The network is back or the page became visible: the connection may have died meanwhile. */
  wake(): void;
  /** The window has the focus again. */
  focus(): void;
}

/** Watches the page in a browser, and returns a function that stops it. Does nothing elsewhere. */
export function watchBrowser(listener: BrowserListener): () => void {
  if (typeof window === "undefined" || typeof document === "undefined") return () => {};
  const isVisible = () => document.visibilityState === "visible";
  const onWake = () => listener.wake();
  const onFocus = () => listener.focus();
  const onVisibilityChange = () => {
    listener.visible(isVisible());
    if (isVisible()) listener.wake();
  };
  listener.visible(isVisible());
  window.addEventListener("online", onWake);
  window.addEventListener("focus", onFocus);
  document.addEventListener("visibilitychange", onVisibilityChange);
  return () => {
    window.removeEventListener("online", onWake);
    window.removeEventListener("focus", onFocus);
    document.removeEventListener("visibilitychange", onVisibilityChange);
  };
}
