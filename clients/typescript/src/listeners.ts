type Listener = (...args: never[]) => void;

/** Event listeners. An exception in one is reported and does not keep the others from being called. */
export class Listeners<E extends { [K in keyof E]: Listener }> {
  readonly #listeners = new Map<keyof E, Set<E[keyof E]>>();

  add<K extends keyof E>(event: K, listener: E[K]): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  emit<K extends keyof E>(event: K, ...args: Parameters<E[K]>): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        (listener as (...args: Parameters<E[K]>) => void)(...args);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
