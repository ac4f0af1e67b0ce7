// The engine's own words, as people read them. What is missing is shown as the engine says it.
import { FIGURES, GUARDS, NAMES, NOES, REPORTS, SENTENCES, type Pair } from "./catalogue";

const WORDS: Record<string, Pair> = { ...GUARDS, ...NAMES };

export type Language = "en" | "zh";

/** A single word of the engine: a state, an event, a condition. */
export function word(text: string, language: Language): string {
  const pair = WORDS[text];
  if (pair !== undefined) return pair[language === "zh" ? 1 : 0];
  return text.replaceAll("_", " ");
}

export function guardWord(name: string, language: Language): string {
  const pair = GUARDS[name];
  if (pair !== undefined) return pair[language === "zh" ? 1 : 0];
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A sentence of the engine. */
export function sentence(text: string, language: Language, guard = "", ok = true): string {
  const no = ok ? undefined : NOES[guard];
  if (no !== undefined) return no[language === "zh" ? 1 : 0];
  return language === "zh" ? inChinese(text) : text;
}

// What may stand in the braces of a report; anything else is any text, the shortest that fits.
const SHAPES: Record<string, string> = { purpose: "[a-z_]+", state: "[A-Z]+", status: "[a-z]+", names: "[A-Z0-9, -]+" };
const SHAPED = Object.entries(REPORTS).map(([english, chinese]): [RegExp, string] => {
  const parts = english.split(/\{(\w+)\}/); // every other one is a name
  const pattern = parts.map((part, at) =>
    at % 2 ? `(?<${part}>${SHAPES[part] ?? ".+?"})` : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"),
  );
  return [new RegExp(`^${pattern.join("")}$`), chinese];
});

function inChinese(text: string): string {
  const known = SENTENCES[text];
  if (known !== undefined) return known;
  for (const [pattern, chinese] of SHAPED) {
    const parts = pattern.exec(text)?.groups;
    if (parts === undefined) continue;
    return chinese.replace(/\{(\w+)\}/g, (_, name: string) => filledIn(name, parts[name] ?? ""));
  }
  return text;
}

function filledIn(name: string, part: string): string {
  if (name === "names") return part.replaceAll(", ", "、");
  if (name === "rule") return inChinese(part);
  return ["purpose", "outcome", "status", "state"].includes(name) ? word(part, "zh") : part;
}

/** The name of a figure, without the unit, which stands with the value. */
export function figureWord(name: string, language: Language): string {
  const bound = /^(min|max)_(.+)$/.exec(name);
  const exact = FIGURES[name];
  if (exact !== undefined) return exact[language === "zh" ? 1 : 0];
  if (bound !== null) {
    const [, which, rest] = bound;
    const known = FIGURES[rest ?? ""];
    const base = known?.[language === "zh" ? 1 : 0] ?? bare(rest ?? name);
    return which === "min" ? `${base} ≥` : `${base} ≤`;
  }
  return bare(name);
}

function bare(name: string): string {
  return name.replace(/_(bps|ratio|usdt|ms|s|hours|base|px)$/, "").replaceAll("_", " ");
}
