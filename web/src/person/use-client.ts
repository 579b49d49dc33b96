/** Hooks that subscribe a component to a part of the client. */

import type { Client, ClientEvents, ConnectionState, RoomList, RoomLog } from "@damso/client";
import { useCallback, useMemo, useSyncExternalStore } from "react";
import { usePerson } from "./person.tsx";

/** Counts the events that are relevant. The state itself is read from the client at every change. */
function changesOf<E extends keyof ClientEvents>(client: Client, event: E, isRelevant: (argument: unknown) => boolean) {
  let count = 0;
  return {
    subscribe(listener: () => void) {
      // Covers events between rendering and subscribing.
      count += 1;
      const handle = (argument?: unknown) => {
        if (!isRelevant(argument)) return;
        count += 1;
        listener();
      };
      return client.on(event, handle as ClientEvents[E]);
    },
    count: () => count,
  };
}

export function useConnection(): ConnectionState {
  const { client } = usePerson();
  const subscribe = useCallback((listener: () => void) => client.on("state", listener), [client]);
  return useSyncExternalStore(subscribe, () => client.state);
}

/** The room list. `change` grows with each of its changes, for use as a dependency. */
export function useRooms(): { list: RoomList; change: number } {
  const { client } = usePerson();
  const changes = useMemo(() => changesOf(client, "rooms", () => true), [client]);
  const change = useSyncExternalStore(changes.subscribe, changes.count);
  return { list: client.rooms, change };
}

export function useLog(roomId: string): { log: RoomLog; change: number } {
  const { client } = usePerson();
  const changes = useMemo(() => changesOf(client, "room", (changed) => changed === roomId), [client, roomId]);
  const change = useSyncExternalStore(changes.subscribe, changes.count);
  return { log: client.room(roomId), change };
}
