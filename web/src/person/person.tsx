/** A signed-in person: their client and the claims of their token. The page can show two of them. */

import type { Client, Room } from "@damso/client";
import { createContext, type ReactNode, use, useEffect, useMemo } from "react";
import { type Claims, readClaims } from "../sign-in/claims.ts";
import type { Credential } from "../sign-in/fragment.ts";
import { tokenExpired } from "../sign-in/session.ts";
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
}

const PersonContext = createContext<Person | null>(null);

export function PersonProvider(props: { credential: Credential; children: ReactNode }) {
  const { url, token, name } = props.credential;
  const person = useMemo<Person>(() => {
    const claims = readClaims(token);
    const storageKey = (key: string) => `damso.${key}.${claims.participant}.${claims.userId}`;
    return {
      ...openClient(url, token, () => tokenExpired(token)),
      claims,
      name: claims.name ?? name ?? claims.userId,
      isStaff: claims.hospitalId !== null,
      storageKey,
    };
  }, [url, token, name]);

  useEffect(() => {
    const { client } = person;
    client.connect();
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
