/** Who is signed in, in this tab only: nothing of it outlives the tab, and no other tab reads it. */
import { useSyncExternalStore } from "react";
import { type Credential, parseFragment } from "./fragment.ts";

const KEY = "damso.people";
const listeners = new Set<() => void>();
let people: readonly Credential[] = [];
let ended = false;

function store(next: readonly Credential[]): void {
  people = next;
  if (next.length === 0) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, JSON.stringify(next));
  for (const listener of listeners) listener();
}

/** Takes the people out of the address bar, or else those whom this tab knew before it was loaded anew. */
export function takeFromAddress(): void {
  const fromLink = parseFragment(location.hash);
  if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);
  if (fromLink !== null) {
    ended = false;
    store(fromLink);
    return;
  }
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    if (Array.isArray(kept)) people = kept as Credential[];
  } catch {
    sessionStorage.removeItem(KEY);
  }
}

export function signIn(person: Credential): void {
  ended = false;
  store([person]);
}

/** Forgets everybody. `because` says whether the form explains why. */
export function signOut(because: "asked" | "ended"): void {
  ended = because === "ended";
  if (because === "asked") {
    sessionStorage.clear();
    history.replaceState(null, "");
  }
  store([]);
}

/** The server takes this token no longer; who has signed in with another one meanwhile stays. */
export function tokenEnded(token: string): void {
  if (people.some((person) => person.token === token)) signOut("ended");
}

/** Whether the last session came to its end by itself. */
export function hasEnded(): boolean {
  return ended;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function usePeople(): readonly Credential[] {
  return useSyncExternalStore(subscribe, () => people);
}
