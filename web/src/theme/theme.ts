/** Light or dark. Follows the system until a theme is chosen. */
import { useSyncExternalStore } from "react";
import { browserStorage } from "../storage/storage.ts";

export type Theme = "system" | "light" | "dark";
const KEY = "damso.theme";
const listeners = new Set<() => void>();
const systemIsDark = () => matchMedia("(prefers-color-scheme: dark)");

function storedTheme(): Theme {
  const stored = browserStorage.getItem(KEY);
  return stored === "light" || stored === "dark" ? stored : "system";
}

function applyTheme(): void {
  const theme = storedTheme();
  const dark = theme === "dark" || (theme === "system" && systemIsDark().matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  for (const listener of listeners) listener();
}

/** Applies the theme now and whenever the system or another tab changes it. */
export function followTheme(): void {
  applyTheme();
  systemIsDark().addEventListener("change", applyTheme);
  addEventListener("storage", (event) => event.key === KEY && applyTheme());
}

export function chooseTheme(theme: Theme): void {
  if (theme === "system") browserStorage.removeItem(KEY);
  else browserStorage.setItem(KEY, theme);
  applyTheme();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, storedTheme);
}
