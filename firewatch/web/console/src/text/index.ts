// Every word the console says, in both languages. A key missing from either catalogue does not compile.

import { createContext } from "preact";
import { useContext } from "preact/hooks";

import type { Lang, LocalText } from "../api";
import { en } from "./en";
import { zh } from "./zh";

export type Key = keyof typeof en;
export type Catalogue = Readonly<Record<Key, string>>;
export type Values = Readonly<Record<string, string | number>>;

const CATALOGUES: Readonly<Record<Lang, Catalogue>> = { en, zh };

export class Words {
  private readonly catalogue: Catalogue;

  constructor(readonly lang: Lang) {
    this.catalogue = CATALOGUES[lang];
  }

  /** The text of a key, with `{name}` replaced by the value of that name. */
  say(key: Key, values: Values = {}): string {
    return this.catalogue[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  }

  /** The text of a word the server chose, such as a state of a device; its own word where we have no other. */
  word(family: string, word: string): string {
    const key = `${family}.${word}`;
    return key in this.catalogue ? this.catalogue[key as Key] : word;
  }

  /** The half of a bilingual text that this reader wants. */
  of(text: LocalText): string {
    return text[this.lang];
  }
}

export function browserLanguage(): Lang {
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export const WordsContext = createContext(new Words("en"));
export const useWords = (): Words => useContext(WordsContext);
