import type { Message } from "@damso/client";
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { useI18n } from "../i18n/i18n-context.tsx";
import { Icon } from "../icons/icon.tsx";
import { useArrowKeys } from "../rooms/use-arrow-keys.ts";
import { useRoom } from "./room-context.tsx";
import { senderName } from "./sender-name.ts";
import { snippetOf } from "./snippet.ts";

/** Pages per click. The server reads a few hundred messages for each. */
const PAGES_PER_CLICK = 4;

export function SearchPanel(props: { jumpTo: (seq: number) => void; close: () => void }) {
  const { strings, format } = useI18n();
  const { log, ownLanguage, names } = useRoom();
  const [query, setQuery] = useState("");
  const [searched, setSearched] = useState("");
  const [found, setFound] = useState<readonly Message[]>([]);
  const [state, setState] = useState<"idle" | "searching" | "more" | "done" | "failed">("idle");
  const pages = useRef<AsyncGenerator<readonly Message[]> | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  const arrowKeys = useArrowKeys();

  useEffect(() => {
    field.current?.focus();
    return () => void pages.current?.return(undefined);
  }, []);

  const read = async (from: AsyncGenerator<readonly Message[]>) => {
    setState("searching");
    try {
      for (let page = 0; page < PAGES_PER_CLICK; page += 1) {
        const next = await from.next();
        if (pages.current !== from) return;
        if (next.done) return setState("done");
        const newestFirst = [...next.value].reverse();
        setFound((before) => [...before, ...newestFirst]);
      }
      setState("more");
    } catch {
      if (pages.current === from) setState("failed");
    }
  };
  const search = (event: FormEvent) => {
    event.preventDefault();
    const wanted = query.trim();
    if (wanted === "") return;
    void pages.current?.return(undefined);
    pages.current = log.search(wanted);
    setFound([]);
    setSearched(wanted);
    void read(pages.current);
  };

  return (
    <section className="search-panel" aria-label={strings.search.open}>
      <form className="search-form" role="search" onSubmit={search}>
        <label htmlFor={id} className="visually-hidden">
          {strings.search.label}
        </label>
        <input
          id={id}
          ref={field}
          type="search"
          enterKeyHint="search"
          placeholder={strings.search.label}
          value={query}
          onChange={(event) => setQuery(event.target.value)}
        />
        <button
          type="button"
          className="icon-button"
          aria-label={strings.close}
          title={strings.close}
          onClick={props.close}
        >
          <Icon name="close" />
        </button>
      </form>
      <p className="search-summary muted small" role="status">
        {state === "searching" && strings.search.searching}
        {state === "failed" && strings.search.failed}
        {(state === "done" || state === "more") &&
          (found.length === 0 ? strings.search.none : strings.search.found(found.length))}
      </p>
      <ul className="search-results" {...arrowKeys}>
        {found.map((message) => {
          const snippet = snippetOf(message, searched, ownLanguage);
          return (
            <li key={message.seq}>
              <button type="button" onClick={() => props.jumpTo(message.seq)}>
                <span className="search-result-header">
                  <bdi>{senderName(message.sender, names)}</bdi>
                  <time dateTime={new Date(message.sent_at).toISOString()}>
                    {format.short(message.sent_at, Date.now())}
                  </time>
                </span>
                <span className="search-result-text" dir="auto">
                  {snippet.before}
                  <mark>{snippet.match}</mark>
                  {snippet.after}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
      {state === "more" && pages.current !== null && (
        <button
          type="button"
          className="text-button"
          onClick={() => pages.current !== null && void read(pages.current)}
        >
          {strings.search.more}
        </button>
      )}
    </section>
  );
}
