/**
 * In a browser, calls `onWake` when the network is back or the page becomes visible, and returns a function that stops
 * it. Does nothing elsewhere.
 */
export function watchBrowser(onWake: () => void): () => void {
  if (typeof window === "undefined" || typeof document === "undefined") return () => {};
  const onVisibilityChange = () => {
    if (document.visibilityState === "visible") onWake();
  };
  window.addEventListener("online", onWake);
  document.addEventListener("visibilitychange", onVisibilityChange);
  return () => {
    window.removeEventListener("online", onWake);
    document.removeEventListener("visibilitychange", onVisibilityChange);
  };
}
