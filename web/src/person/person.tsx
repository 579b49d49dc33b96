/** One signed-in person: their client, and what their token says about them. Two of them may stand side by side. */
import { createContext, type ReactNode, use, useEffect, useMemo } from "react";
import type { Client, Room } from "@damso/client";
import { tokenEnded } from "../sign-in/session.ts";
import { type Claims, readClaims } from "../sign-in/claims.ts";
import type { Credential } from "../sign-in/fragment.ts";
import { openClient, type Pause } from "./open-client.ts";

export interface Person {
  client: Client;
  pause: Pause;
  claims: Claims;
  /** What this person is called on their own screen. */
  name: string;
  isStaff: boolean;
  /** Keeps what two people of one tab store apart. */
  storageKey: (what: string) => string;
}

const PersonContext = createContext<Person | null>(null);

export function PersonProvider(props: { credential: Credential; children: ReactNode }) {
  const { url, token, name } = props.credential;
  const person = useMemo<Person>(() => {
    const claims = readClaims(token);
    const storageKey = (what: string) => `damso.${what}.${claims.participant}.${claims.userId}`;
    return {
      ...openClient(url, token, () => tokenEnded(token)),
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
  if (person === null) throw new Error("there is no PersonProvider around this");
  return person;
}

/** Who is on the other side: of a consult and of a direct room the one counterpart, else nobody in particular. */
export function counterpartOf(room: Room | null, self: string) {
  if (room === null || (room.kind !== "consult" && room.kind !== "direct")) return null;
  return room.members.find((member) => member.participant !== self) ?? null;
}

/** The id within `user:<id>` or `hospital:<id>`, for those who have no name. */
export function idOf(participant: string): string {
  return participant.slice(participant.indexOf(":") + 1);
}

export function nameOfRoom(room: Room | null, self: string): string {
  if (room === null) return "";
  const other = counterpartOf(room, self);
  if (other !== null) return other.name ?? idOf(other.participant);
  return room.name ?? idOf(room.room_id);
}
