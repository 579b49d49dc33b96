/** The language of the user interface. With two people on the page, each has their own. */
import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState } from "react";
import { browserStorage } from "../storage/storage.ts";
import { type Format, formatOf } from "./format.ts";
import { chooseLanguage, type InterfaceLanguage, type Strings, strings } from "./index.ts";

interface I18n {
  language: InterfaceLanguage;
  strings: Strings;
  format: Format;
  choose: (language: InterfaceLanguage) => void;
}

const I18nContext = createContext<I18n | null>(null);

/** `userId` separates people who share a browser. `preferred` is tried before the browser's languages. */
export function I18nProvider(props: { userId?: string; preferred?: string | null; children: ReactNode }) {
  const key = props.userId === undefined ? "damso.language" : `damso.language.${props.userId}`;
  const [language, setLanguage] = useState(() =>
    chooseLanguage([browserStorage.getItem(key), props.preferred, ...navigator.languages]),
  );
  const choose = useCallback(
    (chosen: InterfaceLanguage) => {
      browserStorage.setItem(key, chosen);
      setLanguage(chosen);
    },
    [key],
  );
  const isWholePage = props.userId === undefined;
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
    () => ({ language, strings: strings[language], format: formatOf(language), choose }),
    [language, choose],
  );
  return <I18nContext value={value}>{props.children}</I18nContext>;
}

export function useI18n(): I18n {
  const value = use(I18nContext);
  if (value === null) throw new Error("useI18n needs an I18nProvider around the component");
  return value;
}
