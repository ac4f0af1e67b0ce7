import { createContext, useContext } from "react";
import { en, type Key } from "./en";
import { figureWord, guardWord, sentence, word, type Language } from "./words";
import { zh } from "./zh";

export type { Key, Language };

const CATALOGUE: Record<Language, Record<Key, string>> = { en, zh };

export type Fields = Record<string, string | number>;

export interface Said {
  language: Language;
  isZh: boolean;
  /** A text of the catalogue with its fields in braces. */
  t: (key: Key, fields?: Fields) => string;
  /** A single word of the engine. */
  w: (text: string) => string;
  guard: (name: string) => string;
  sentence: (text: string, guard?: string, ok?: boolean) => string;
  figure: (name: string) => string;
  /** What is said in both languages; without a Chinese text the English one. */
  either: (english: string, chinese?: string) => string;
}

export function saidIn(language: Language): Said {
  const texts = CATALOGUE[language];
  return {
    language,
    isZh: language === "zh",
    t: (key, fields = {}) => texts[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(fields[name] ?? whole)),
    w: (text) => word(text, language),
    guard: (name) => guardWord(name, language),
    sentence: (text, guard, ok) => sentence(text, language, guard, ok),
    figure: (name) => figureWord(name, language),
    either: (english, chinese) => (language === "zh" && chinese ? chinese : english),
  };
}

export const SaidContext = createContext<Said>(saidIn("en"));

export function useSaid(): Said {
  return useContext(SaidContext);
}
