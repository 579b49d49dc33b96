/** In a browser: calls when the network is back or the page is looked at again. Elsewhere it does nothing. */
export function watchBrowser(awake: () => void): () => void {
  if (typeof window === "undefined" || typeof document === "undefined") return () => {};
  const visible = () => {
    if (document.visibilityState === "visible") awake();
  };
  window.addEventListener("online", awake);
  document.addEventListener("visibilitychange", visible);
  return () => {
    window.removeEventListener("online", awake);
    document.removeEventListener("visibilitychange", visible);
  };
}
