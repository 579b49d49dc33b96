import type { Translation } from "@damso/client";
import { Icon } from "../icons/icon.tsx";
import { apart } from "../words/apart.ts";
import { useInterface } from "../words/interface.tsx";
import type { TranslationState } from "./entry-text.ts";
import { useRoom } from "./room-context.tsx";
import type { Problem } from "./use-translating.ts";

/** Who translated, or why nobody did; and what can be done about it. */
export function Provenance(props: {
  state: TranslationState;
  translation: Translation | undefined;
  /** The language that is worth naming: of what the other side reads. */
  language: string | null;
  asking: boolean;
  problem: Problem | null;
  ask: () => void;
  correct: (() => void) | null;
  reveal: (() => void) | null;
  hidden: "translation" | "original";
}) {
  const { words, format } = useInterface();
  const { names } = useRoom();
  const { state, translation } = props;
  if (state === "none") return null;

  const name = translation?.by === undefined ? undefined : names.get(translation.by);
  const by = name === undefined ? null : apart(name);
  const source =
    translation === undefined || translation.source === "deepl"
      ? words.translation.machine
      : translation.source === "person"
        ? words.translation.person(by)
        : words.translation.memory;
  const into = format.language(props.language);
  const reason = props.problem ?? (state === "failed" ? (translation?.reason ?? "other") : null);

  return (
    <div className="provenance" role={props.problem === null ? undefined : "status"}>
      {reason !== null && state !== "shown" ? (
        <span className="failure">
          <Icon name="alert" />
          {words.translation.failed[reason] ?? words.translation.failed.other}
        </span>
      ) : state === "shown" ? (
        <span>
          {into !== null && `${words.translation.into(into)} · `}
          {source}
        </span>
      ) : state === "pending" ? (
        <span aria-hidden="true">{words.translation.pending}</span>
      ) : null}
      {(state === "failed" || state === "askable") && (
        <button type="button" className="plain" disabled={props.asking} onClick={props.ask}>
          {props.asking ? words.translation.asked : reason === null ? words.translation.ask : words.translation.again}
        </button>
      )}
      {props.correct !== null && (state === "shown" || state === "failed") && (
        <button type="button" className="plain" data-correct onClick={props.correct}>
          {state === "failed" ? words.correction.write : words.correction.correct}
        </button>
      )}
      {props.reveal !== null && (
        <button type="button" className="plain" onClick={props.reveal}>
          {props.hidden === "translation" ? words.translation.show : words.translation.showOriginal}
        </button>
      )}
    </div>
  );
}
