import type { Translation } from "@damso/client";
import { bidiIsolate } from "../i18n/bidi-isolate.ts";
import { useI18n } from "../i18n/i18n-context.tsx";
import { Icon } from "../icons/icon.tsx";
import type { TranslationState } from "./entry-text.ts";
import { useRoom } from "./room-context.tsx";
import type { TranslationProblem } from "./use-message-translation.ts";

/** The source of a translation or the reason why there is none, with the actions that are available. */
export function Provenance(props: {
  state: TranslationState;
  translation: Translation | undefined;
  /** Named only for one's own messages: the language that the other side reads. */
  language: string | null;
  requesting: boolean;
  problem: TranslationProblem | null;
  request: () => void;
  correct: (() => void) | null;
  reveal: (() => void) | null;
  hidden: "translation" | "original";
}) {
  const { strings, format } = useI18n();
  const { names } = useRoom();
  const { state, translation } = props;
  if (state === "none") return null;

  const name = translation?.by === undefined ? undefined : names.get(translation.by);
  const by = name === undefined ? null : bidiIsolate(name);
  const source =
    translation?.source === "person"
      ? strings.translation.person(by)
      : translation?.source === "memory"
        ? strings.translation.memory
        : strings.translation.machine;
  const into = format.language(props.language);
  const reason = props.problem ?? (state === "failed" ? (translation?.reason ?? "other") : null);

  return (
    <div className="provenance" role={props.problem === null ? undefined : "status"}>
      {reason !== null && state !== "shown" ? (
        <span className="translation-error">
          <Icon name="alert" />
          {strings.translation.failed[reason] ?? strings.translation.failed.other}
        </span>
      ) : state === "shown" ? (
        <span>
          {into !== null && `${strings.translation.into(into)} · `}
          {source}
        </span>
      ) : state === "pending" ? (
        <span aria-hidden="true">{strings.translation.pending}</span>
      ) : null}
      {(state === "failed" || state === "requestable") && (
        <button type="button" className="text-button" disabled={props.requesting} onClick={props.request}>
          {props.requesting
            ? strings.translation.requesting
            : reason === null
              ? strings.translation.request
              : strings.translation.retry}
        </button>
      )}
      {props.correct !== null && (state === "shown" || state === "failed") && (
        <button type="button" className="text-button" data-correct onClick={props.correct}>
          {state === "failed" ? strings.correction.write : strings.correction.correct}
        </button>
      )}
      {props.reveal !== null && (
        <button type="button" className="text-button" onClick={props.reveal}>
          {props.hidden === "translation" ? strings.translation.show : strings.translation.showOriginal}
        </button>
      )}
    </div>
  );
}
