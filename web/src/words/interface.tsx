/** In which language the interface speaks. Of two people side by side each has their own. */
import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState } from "react";
import { type Format, formatOf } from "./format.ts";
import { chooseLanguage, type InterfaceLanguage, type Words, words } from "./index.ts";

interface Interface {
  language: InterfaceLanguage;
  words: Words;
  format: Format;
  choose: (language: InterfaceLanguage) => void;
}

const InterfaceContext = createContext<Interface | null>(null);

/** `who` keeps the choices of people who share a browser apart; `wish` is what is tried before the browser's languages. */
export function InterfaceProvider(props: { who?: string; wish?: string | null; children: ReactNode }) {
  const key = props.who === undefined ? "damso.language" : `damso.language.${props.who}`;
  const [language, setLanguage] = useState(() =>
    chooseLanguage([localStorage.getItem(key), props.wish, ...navigator.languages]),
  );
  const choose = useCallback(
    (chosen: InterfaceLanguage) => {
      localStorage.setItem(key, chosen);
      setLanguage(chosen);
    },
    [key],
  );
  const isWholePage = props.who === undefined;
  useEffect(() => {
    if (isWholePage) document.documentElement.lang = language;
  }, [language, isWholePage]);
  useEffect(() => {
    const fromOtherTab = (event: StorageEvent) => {
      if (event.key === key && event.newValue !== null) setLanguage(chooseLanguage([event.newValue]));
    };
    addEventListener("storage", fromOtherTab);
    return () => removeEventListener("storage", fromOtherTab);
  }, [key]);
  const value = useMemo(
    () => ({ language, words: words[language], format: formatOf(language), choose }),
    [language, choose],
  );
  return <InterfaceContext value={value}>{props.children}</InterfaceContext>;
}

export function useInterface(): Interface {
  const value = use(InterfaceContext);
  if (value === null) throw new Error("there is no InterfaceProvider around this");
  return value;
}
