import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import type { Message } from "@damso/client";
import { Icon } from "../icons/icon.tsx";
import { idOf } from "../person/person.tsx";
import { useArrows } from "../rooms/use-arrows.ts";
import { useInterface } from "../words/interface.tsx";
import { snippetOf } from "./snippet.ts";
import { useRoom } from "./room-context.tsx";

/** So many pages are read for one click; the server reads some hundred messages for each. */
const PAGES = 4;

export function SearchPanel(props: { goTo: (seq: number) => void; close: () => void }) {
  const { words, format } = useInterface();
  const { log, mine } = useRoom();
  const [query, setQuery] = useState("");
  const [asked, setAsked] = useState("");
  const [found, setFound] = useState<readonly Message[]>([]);
  const [state, setState] = useState<"quiet" | "searching" | "more" | "done" | "failed">("quiet");
  const pages = useRef<AsyncGenerator<readonly Message[]> | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  const arrows = useArrows();

  useEffect(() => {
    field.current?.focus();
    return () => void pages.current?.return(undefined);
  }, []);

  const read = async (from: AsyncGenerator<readonly Message[]>) => {
    setState("searching");
    try {
      for (let page = 0; page < PAGES; page += 1) {
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
    setAsked(wanted);
    void read(pages.current);
  };

  return (
    <section className="search" aria-label={words.search.open}>
      <form className="search-form" role="search" onSubmit={search}>
        <label htmlFor={id} className="unseen">
          {words.search.label}
        </label>
        <input
          id={id}
          ref={field}
          type="search"
          enterKeyHint="search"
          placeholder={words.search.label}
          value={query}
          onChange={(event) => setQuery(event.target.value)}
        />
        <button type="button" className="round" aria-label={words.close} title={words.close} onClick={props.close}>
          <Icon name="close" />
        </button>
      </form>
      <p className="search-state quiet small" role="status">
        {state === "searching" && words.search.searching}
        {state === "failed" && words.search.failed}
        {(state === "done" || state === "more") && (found.length === 0 ? words.search.none : words.search.found(found.length))}
      </p>
      <ul className="found" {...arrows}>
        {found.map((message) => {
          const snippet = snippetOf(message, asked, mine);
          return (
            <li key={message.seq}>
              <button type="button" onClick={() => props.goTo(message.seq)}>
                <span className="found-head">
                  <bdi>{message.sender.name ?? idOf(message.sender.participant)}</bdi>
                  <time dateTime={new Date(message.sent_at).toISOString()}>{format.short(message.sent_at, Date.now())}</time>
                </span>
                <span className="found-text" dir="auto">
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
        <button type="button" className="plain" onClick={() => pages.current !== null && void read(pages.current)}>
          {words.search.more}
        </button>
      )}
    </section>
  );
}
