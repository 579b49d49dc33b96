type Events = { [event: string]: (...told: never[]) => void };

/** Who is told of what. One that throws is reported, and keeps nobody else from being told. */
export class Listeners<E extends { [K in keyof E]: Events[string] }> {
  readonly #listeners = new Map<keyof E, Set<E[keyof E]>>();

  add<K extends keyof E>(event: K, listener: E[K]): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  tell<K extends keyof E>(event: K, ...told: Parameters<E[K]>): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        (listener as (...told: Parameters<E[K]>) => void)(...told);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
