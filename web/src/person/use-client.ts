/** The client as React sees it: each hook renders anew when the client says that its part has changed. */
import { useCallback, useMemo, useSyncExternalStore } from "react";
import type { Client, ClientEvents, ConnectionState, RoomList, RoomLog } from "@damso/client";
import { usePerson } from "./person.tsx";

/** Counts the changes that concern somebody. What the client holds is read anew at every count. */
function changesOf<E extends keyof ClientEvents>(client: Client, event: E, concerns: (argument: unknown) => boolean) {
  let count = 0;
  return {
    subscribe(listener: () => void) {
      // What happened between the rendering and now would else be missed.
      count += 1;
      const heard = (argument?: unknown) => {
        if (!concerns(argument)) return;
        count += 1;
        listener();
      };
      return client.on(event, heard as ClientEvents[E]);
    },
    count: () => count,
  };
}

export function useConnection(): ConnectionState {
  const { client } = usePerson();
  const subscribe = useCallback((listener: () => void) => client.on("state", listener), [client]);
  return useSyncExternalStore(subscribe, () => client.state);
}

/** The list; `change` grows with each of its changes, for those who remember what they made of it. */
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
