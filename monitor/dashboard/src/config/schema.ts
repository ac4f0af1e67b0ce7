// What a JSON schema says of one key: how it is typed in, what is allowed, and what is wrong with a value.
import type { Config, ConfigForm, Json, Meaning, Schema } from "../api/types";
import type { Said } from "../i18n";

export interface Field {
  key: string;
  file: string;
  meaning: Meaning;
  kind: "boolean" | "integer" | "number" | "choice" | "list" | "text";
  choices: string[];
  nullable: boolean;
  locked: boolean;
  value: Json;
  fallback: Json | undefined;
  /** Whether it was changed from here, over what its file says. */
  overlaid: boolean;
  limits: Limits;
}

const UNTOLD: Meaning = { en: "", zh: "" };

interface Limits {
  minimum?: number | undefined;
  exclusiveMinimum?: number | undefined;
  maximum?: number | undefined;
  exclusiveMaximum?: number | undefined;
  pattern?: string | undefined;
  minLength?: number | undefined;
  maxLength?: number | undefined;
}

function resolved(schema: Schema, root: Schema): Schema {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1) ?? "";
    const found = root.$defs?.[name];
    if (found !== undefined) return { ...resolved(found, root), ...withoutRef(schema) };
  }
  const only = schema.allOf?.length === 1 ? schema.allOf[0] : undefined;
  return only === undefined ? schema : { ...resolved(only, root), ...withoutAllOf(schema) };
}

function withoutRef({ $ref: _, ...rest }: Schema): Schema {
  return rest;
}

function withoutAllOf({ allOf: _, ...rest }: Schema): Schema {
  return rest;
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every key of the configuration, with what the form knows of it; without a form only what is in force. */
export function fieldsOf(config: Config, form: ConfigForm | null): Field[] {
  const fields: Field[] = [];
  const walk = (file: string, key: string, value: Json, schema: Schema | null, root: Schema | null): void => {
    const own = schema !== null && root !== null ? resolved(schema, root) : null;
    if (isObject(value)) {
      for (const [name, inner] of Object.entries(value)) {
        walk(file, `${key}.${name}`, inner, own?.properties?.[name] ?? null, root);
      }
    } else {
      fields.push(fieldOf(file, key, value, own, root, form));
    }
  };
  for (const [file, values] of Object.entries(config)) {
    const root = form?.files[file] ?? null;
    for (const [name, value] of Object.entries(values)) {
      walk(file, `${file}.${name}`, value, root ? (resolved(root, root).properties?.[name] ?? null) : null, root);
    }
  }
  return fields;
}

/** Red lines are named by key, by section, or with a star: "account.leverage", "risk.caps", "risk.caps.*". */
export function isLocked(key: string, form: ConfigForm | null): boolean {
  if (form === null) return true;
  return form.locked.some((one) => {
    const bare = one.replace(/\.?[*…]$/, "");
    return key === bare || key.startsWith(`${bare}.`);
  });
}

function fieldOf(file: string, key: string, value: Json, schema: Schema | null, root: Schema | null, form: ConfigForm | null): Field {
  const options = (schema?.anyOf ?? (schema ? [schema] : [])).map((one) => (root ? resolved(one, root) : one));
  const filled = options.filter((one) => one.type !== "null");
  const all = filled.flatMap((one) => one.enum ?? (one.const !== undefined ? [one.const] : []));
  const limits: Limits = {};
  for (const one of filled) {
    limits.minimum ??= one.minimum;
    limits.exclusiveMinimum ??= one.exclusiveMinimum;
    limits.maximum ??= one.maximum;
    limits.exclusiveMaximum ??= one.exclusiveMaximum;
    limits.minLength ??= one.minLength;
    limits.maxLength ??= one.maxLength;
    if (one.type === "string") limits.pattern ??= one.pattern;
  }
  const types = new Set(filled.map((one) => one.type));
  const kind: Field["kind"] =
    types.has("boolean") || (schema === null && typeof value === "boolean")
      ? "boolean"
      : types.has("array") || Array.isArray(value)
        ? "list"
        : all.length > 0
          ? "choice"
          : types.has("integer")
            ? "integer"
            : types.has("number")
              ? "number"
              : "text";
  if (kind === "number") limits.pattern = undefined; // a Decimal is told as number or text: the number's limits count
  return {
    key,
    file,
    meaning: form?.meanings[key] ?? UNTOLD,
    kind,
    choices: all.map(String),
    nullable: options.some((one) => one.type === "null") || value === null,
    locked: isLocked(key, form),
    value,
    fallback: schema?.default,
    overlaid: form?.changes?.[key] !== undefined,
    limits,
  };
}

/** A value as it is typed in. */
export function typed(value: Json | undefined): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(String).join("\n");
  return String(value);
}

/** What was typed, as YAML writes it: no digit of a number is lost on the way. */
export function written(field: Field, text: string): string {
  const bare = text.trim();
  if (field.kind === "list") return `[${entries(bare).map(quoted).join(", ")}]`;
  if (bare === "" && field.nullable) return "null";
  return field.kind === "text" ? quoted(bare) : bare;
}

function entries(text: string): string[] {
  return text
    .split(/[\n,]+/)
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

/** In quotes where YAML would read something else than the text. */
function quoted(text: string): string {
  return /^[A-Za-z][\w./-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off)$/i.test(text) ? text : JSON.stringify(text);
}

/** What was typed, as the page shows values. */
export function shownAs(field: Field, text: string): Json {
  const bare = text.trim();
  if (field.kind === "list") return entries(bare);
  if (bare === "" && field.nullable) return null;
  return field.kind === "boolean" ? bare === "true" : bare;
}

export function allowed(field: Field, said: Said): string {
  const { t } = said;
  const parts: string[] = [];
  if (field.kind === "choice") parts.push(t("config.one_of", { what: field.choices.join(", ") }));
  if (field.kind === "integer") parts.push(t("config.whole"));
  if (field.kind === "number") parts.push(t("config.number"));
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum, pattern } = field.limits;
  if (minimum !== undefined) parts.push(t("config.at_least", { n: minimum }));
  if (exclusiveMinimum !== undefined) parts.push(t("config.above", { n: exclusiveMinimum }));
  if (maximum !== undefined) parts.push(t("config.at_most", { n: maximum }));
  if (exclusiveMaximum !== undefined) parts.push(t("config.below", { n: exclusiveMaximum }));
  if (pattern !== undefined && field.kind === "text") parts.push(t("config.pattern", { pattern }));
  if (field.nullable) parts.push(t("config.nothing"));
  return parts.join(said.isZh ? "，" : ", ");
}

/** What is wrong with a value, or null. The engine judges again, contradictions between keys included. */
export function wrong(field: Field, text: string, said: Said): string | null {
  const bare = text.trim();
  if (field.kind === "boolean" || field.kind === "list" || (bare === "" && field.nullable)) return null;
  const bad = said.t("config.bad", { value: bare === "" ? "“”" : bare, what: allowed(field, said) });
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum, pattern, minLength, maxLength } = field.limits;
  if (field.kind === "integer" || field.kind === "number") {
    const form = field.kind === "integer" ? /^-?\d+$/ : /^-?\d+(\.\d+)?$/;
    const number = Number(bare);
    const out =
      (minimum !== undefined && number < minimum) ||
      (exclusiveMinimum !== undefined && number <= exclusiveMinimum) ||
      (maximum !== undefined && number > maximum) ||
      (exclusiveMaximum !== undefined && number >= exclusiveMaximum);
    return !form.test(bare) || out ? bad : null;
  }
  if (field.kind === "choice") return field.choices.includes(bare) ? null : bad;
  if (minLength !== undefined && bare.length < minLength) return bad;
  if (maxLength !== undefined && bare.length > maxLength) return bad;
  if (pattern !== undefined) {
    try {
      return new RegExp(pattern, "u").test(bare) ? null : bad;
    } catch (error) {
      if (error instanceof SyntaxError) return null; // a pattern of Python's own: the engine judges it
      throw error;
    }
  }
  return null;
}
