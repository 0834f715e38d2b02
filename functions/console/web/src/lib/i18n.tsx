import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState } from "react";
import type catalogue from "../locales/en.json";
import type { Format } from "./format";
import { recall, remember } from "./memory";
import { onHost } from "./theme";

export type Key = keyof typeof catalogue;
type Counted = { [K in Key]: K extends `${infer Stem}.other` ? Stem : never }[Key];
type Messages = Record<Key, string>;

export const languages = { en: "English", "zh-CN": "简体中文", "zh-TW": "繁體中文", ja: "日本語" } as const;
export type Language = keyof typeof languages;

const loaders: Record<Language, () => Promise<{ default: Messages }>> = {
  en: () => import("../locales/en.json"),
  "zh-CN": () => import("../locales/zh-CN.json"),
  "zh-TW": () => import("../locales/zh-TW.json"),
  ja: () => import("../locales/ja.json"),
};

/** match finds the language that fits a list of wishes best. */
export function match(wishes: readonly string[]): Language {
  for (const wish of wishes) {
    const tag = wish.toLowerCase();
    if (tag.startsWith("zh")) return /hant|tw|hk|mo/.test(tag) ? "zh-TW" : "zh-CN";
    if (tag.startsWith("ja")) return "ja";
    if (tag.startsWith("en")) return "en";
  }
  return "en";
}

/** hostLanguage is the one of the app's pages on a Blocklet Server (its cookie nf_lang). */
export function hostLanguage(): string | undefined {
  return onHost() ? /(?:^|; )nf_lang=([\w-]+)/.exec(document.cookie)?.[1] : undefined;
}

/** wishes are the languages that somebody wants: the app's on a Blocklet Server, then the browser's. */
export function wishes(browser: readonly string[]): readonly string[] {
  const app = hostLanguage();
  return app ? [app, ...browser] : browser;
}

export type Vars = Record<string, string | number>;

/** fill puts values into the places of a text. */
export function fill(text: string, vars: Vars = {}): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in vars ? String(vars[name]) : whole));
}

export interface I18n {
  language: Language;
  /** "" follows the browser. */
  choice: Language | "";
  choose: (language: Language | "") => void;
  t: (key: Key, vars?: Vars) => string;
  /** known is the text of a word that comes from the hub, or the word itself where a newer hub has a new one. */
  known: (key: string, word: string) => string;
  /** tn counts: the text of the plural form that n has. */
  tn: (key: Counted, n: number, vars?: Vars) => string;
  format: Format;
  setTimeZone: (zone: string) => void;
}

const Context = createContext<I18n | undefined>(undefined);
const remembered = "aigne-hub.language";

function stored(): Language | "" {
  const value = recall(remembered);
  return value in languages ? (value as Language) : "";
}

export function I18nProvider({ children }: { children: ReactNode }) {
  const [choice, setChoice] = useState(stored);
  const language = choice || match(wishes(navigator.languages));
  const [loaded, setLoaded] = useState<{ language: Language; messages: Messages }>();
  const [timeZone, setTimeZone] = useState("");
  useEffect(() => {
    let current = true;
    loaders[language]().then((m) => current && setLoaded({ language, messages: m.default }));
    return () => {
      current = false;
    };
  }, [language]);
  const choose = useCallback((next: Language | "") => {
    remember(remembered, next);
    setChoice(next);
  }, []);
  const value = useMemo<I18n | undefined>(() => {
    if (!loaded) return undefined;
    document.documentElement.lang = loaded.language;
    const rules = new Intl.PluralRules(loaded.language);
    const count = new Intl.NumberFormat(loaded.language);
    return {
      language: loaded.language,
      choice,
      choose,
      t: (key, vars) => fill(loaded.messages[key], vars),
      known: (key, word) => loaded.messages[key as Key] ?? word,
      tn: (key, n, vars) => {
        const one = `${key}.one` as Key;
        const form = rules.select(n) === "one" && one in loaded.messages ? one : (`${key}.other` as Key);
        return fill(loaded.messages[form], { n: count.format(n), ...vars });
      },
      format: { locale: loaded.language, timeZone: timeZone || undefined },
      setTimeZone,
    };
  }, [loaded, choice, choose, timeZone]);
  return value ? <Context value={value}>{children}</Context> : null;
}

export function useI18n(): I18n {
  const value = use(Context);
  if (!value) throw new Error("no I18nProvider");
  return value;
}

export const useT = () => useI18n().t;
