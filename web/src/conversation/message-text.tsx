import { textParts } from "./text-parts.ts";

/** An original or a translation. Only web addresses in it can be clicked, and they are shown as they are. */
export function MessageText(props: { text: string; language: string | undefined; isTranslation?: boolean }) {
  return (
    <p className="entry-text" dir="auto" lang={props.language} data-translated={props.isTranslation}>
      {textParts(props.text).map(({ text, isLink }, index) =>
        isLink ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text have no other identity.
          <a key={index} href={text} dir="ltr" target="_blank" rel="noopener noreferrer">
            {text}
          </a>
        ) : (
          text
        ),
      )}
    </p>
  );
}
