/** A signed-in person: their client and the claims of their token. The page can show two of them. */

import { type Client, languagesMatch, type Room } from "@damso/client";
import { createContext, type ReactNode, use, useEffect, useMemo } from "react";
import { type Claims, readClaims } from "../sign-in/claims.ts";
import type { Credential } from "../sign-in/fragment.ts";
import { tokenExpired } from "../sign-in/session.ts";
import { browserStorage } from "../storage/storage.ts";
import { openClient, type RateLimit } from "./open-client.ts";

export interface Person {
  client: Client;
  rateLimit: RateLimit;
  claims: Claims;
  /** The name shown to this person. */
  name: string;
  isStaff: boolean;
  /** Storage keys per person, because two people can share a tab. */
  storageKey: (name: string) => string;
  /** Has messages translated into this language from now on. */
  readIn: (language: string) => void;
}

const PersonContext = createContext<Person | null>(null);

export function PersonProvider(props: { credential: Credential; children: ReactNode }) {
  const { url, token, name } = props.credential;
  const person = useMemo<Person>(() => {
    const claims = readClaims(token);
    const storageKey = (key: string) => `damso.${key}.${claims.participant}.${claims.userId}`;
    const opened = openClient(url, token, () => tokenExpired(token));
    const readIn = (language: string) => {
      browserStorage.setItem(storageKey("reads"), language);
      // If it is refused, messages stay in the language that they are in; their translations can be requested.
      opened.client.setLanguage(language).catch(() => undefined);
    };
    return {
      ...opened,
      claims,
      name: claims.name ?? name ?? claims.userId,
      isStaff: claims.hospitalId !== null,
      storageKey,
      readIn,
    };
  }, [url, token, name]);

  useEffect(() => {
    const { client, isStaff, claims, storageKey, readIn } = person;
    client.connect();
    // The server remembers what patients have chosen. Staff share a profile, so the browser remembers it for them.
    const chosen = isStaff ? browserStorage.getItem(storageKey("reads")) : null;
    if (chosen !== null && !languagesMatch(chosen, claims.language)) readIn(chosen);
    return () => client.close();
  }, [person]);

  return <PersonContext value={person}>{props.children}</PersonContext>;
}

export function usePerson(): Person {
  const person = use(PersonContext);
  if (person === null) throw new Error("usePerson needs a PersonProvider around the component");
  return person;
}

/** The other side of a consultation or a direct room. Null in groups and open rooms. */
export function counterpartOf(room: Room | null, self: string) {
  if (room === null || (room.kind !== "consult" && room.kind !== "direct")) return null;
  return room.members.find((member) => member.participant !== self) ?? null;
}

/** The id in `user:<id>` or `hospital:<id>`, shown if there is no name. */
export function idOf(participant: string): string {
  return participant.slice(participant.indexOf(":") + 1);
}

export function nameOfRoom(room: Room | null, self: string): string {
  if (room === null) return "";
  const other = counterpartOf(room, self);
  if (other !== null) return other.name ?? idOf(other.participant);
  return room.name ?? idOf(room.room_id);
}
