/** Who is signed in. Stored in this tab only: other tabs cannot read it, and it ends with the tab. */
import { useSyncExternalStore } from "react";
import { tabStorage } from "../storage/storage.ts";
import { type Credential, parseFragment } from "./fragment.ts";

const KEY = "damso.people";
const listeners = new Set<() => void>();
let people: readonly Credential[] = [];
let expired = false;

function store(next: readonly Credential[]): void {
  people = next;
  if (next.length === 0) tabStorage.removeItem(KEY);
  else tabStorage.setItem(KEY, JSON.stringify(next));
  for (const listener of listeners) listener();
}

/** Signs in the people in the URL and removes them from it, or else those stored before a reload. */
export function signInFromUrl(): void {
  const fromLink = parseFragment(location.hash);
  if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);
  if (fromLink !== null) {
    expired = false;
    store(fromLink);
    return;
  }
  try {
    const stored: unknown = JSON.parse(tabStorage.getItem(KEY) ?? "[]");
    if (Array.isArray(stored)) people = stored as Credential[];
  } catch {
    tabStorage.removeItem(KEY);
  }
}

export function signIn(person: Credential): void {
  expired = false;
  store([person]);
}

/** Signs everybody out. After an expiry, unsent messages and drafts are kept, and the sign-in form explains why. */
export function signOut(reason: "requested" | "expired"): void {
  expired = reason === "expired";
  if (reason === "requested") {
    tabStorage.clear();
    history.replaceState(null, "");
  }
  store([]);
}

/** The server no longer accepts this token. Somebody who has since signed in with another stays signed in. */
export function tokenExpired(token: string): void {
  if (people.some((person) => person.token === token)) signOut("expired");
}

/** Whether the last session expired, rather than being signed out of. */
export function hasExpired(): boolean {
  return expired;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function usePeople(): readonly Credential[] {
  return useSyncExternalStore(subscribe, () => people);
}
