// Amounts and times as people read them. Decimal strings become numbers here only to be shown.
import type { FigureValue } from "./api/types";

export const ABSENT = "–";
const MINUS = "−";

const grouped = new Map<string, Intl.NumberFormat>();

function fixed(value: number, least: number, most = least): string {
  const key = `${least}.${most}`;
  let format = grouped.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat("en-US", { minimumFractionDigits: least, maximumFractionDigits: most });
    grouped.set(key, format);
  }
  const text = format.format(value);
  if (/^-[0.,]*$/.test(text)) return text.slice(1);
  return text.replace("-", MINUS);
}

function number(value: string | number | null | undefined): number | null {
  if (value === null || value === undefined || value === "") return null;
  const found = Number(value);
  return Number.isFinite(found) ? found : null;
}

/** USDT with two decimals: 12,345.60. */
export function usdt(value: string | number | null | undefined): string {
  const found = number(value);
  return found === null ? ABSENT : fixed(found, 2);
}

/** USDT with its sign, for results: +12.30, −0.45, 0.00. */
export function signed(value: string | number | null | undefined): string {
  const found = number(value);
  if (found === null) return ABSENT;
  const text = fixed(found, 2);
  return found > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** USDT without decimals, for axes and ceilings. */
export function whole(value: string | number | null | undefined): string {
  const found = number(value);
  return found === null ? ABSENT : fixed(found, 0);
}

/** Coins or contracts, at most `most` decimals, without trailing zeros. */
export function coins(value: string | number | null | undefined, most = 6): string {
  const found = number(value);
  if (found === null) return ABSENT;
  return fixed(found, 0, Math.abs(found) >= 1_000_000 ? 0 : most);
}

/** A ratio as per cent: 0.8 is 80.00 %. */
export function percent(value: string | number | null | undefined, decimals = 2): string {
  const found = number(value);
  return found === null ? ABSENT : `${fixed(found * 100, decimals)} %`;
}

/** A funding rate, a fraction, as per cent with four decimals: 0.0001 is 0.0100 %. */
export function rate(value: string | number | null | undefined): string {
  return percent(value, 4);
}

export function bps(value: string | number | null | undefined): string {
  const found = number(value);
  return found === null ? ABSENT : `${fixed(found, 1)} bps`;
}

/** At most six significant digits, in plain decimals. */
export function plain(value: string | number | null | undefined): string {
  const found = number(value);
  if (found === null) return value === null || value === undefined ? ABSENT : String(value);
  if (Number.isInteger(found)) return fixed(found, 0);
  const decimals = Math.abs(found) >= 1 ? 4 : 8;
  return fixed(Number(found.toPrecision(6)), 0, decimals);
}

const two = (value: number): string => String(value).padStart(2, "0");

/** 2026-01-06 08:00:05 */
export function utc(atMs: number): string {
  return `${day(atMs)} ${clock(atMs)}`;
}

/** 01-06 08:00:05 */
export function shortUtc(atMs: number): string {
  return `${day(atMs).slice(5)} ${clock(atMs)}`;
}

export function day(atMs: number): string {
  const at = new Date(atMs);
  return `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
}

export function clock(atMs: number): string {
  const at = new Date(atMs);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
}

const SPANS: [number, string, string][] = [
  [86_400, "d", "天"],
  [3_600, "h", "小时"],
  [60, "m", "分"],
  [1, "s", "秒"],
];

/** A duration by its two largest units: 2d 3h, 5m 20s, 0s. */
export function span(durationMs: number, zh = false): string {
  let seconds = Math.floor(Math.max(0, durationMs) / 1000);
  const parts: string[] = [];
  for (const [length, en, cn] of SPANS) {
    const count = Math.floor(seconds / length);
    seconds %= length;
    if (count > 0 || parts.length > 0) parts.push(count > 0 ? `${count}${zh ? ` ${cn}` : en}` : "");
    if (parts.length === 2) break;
  }
  return parts.filter((part) => part !== "").join(" ") || (zh ? "0 秒" : "0s");
}

/** A figure of a verdict, by the unit its name carries. */
export function figure(name: string, value: FigureValue, zh = false): string {
  if (typeof value === "boolean") return zh ? (value ? "是" : "否") : value ? "yes" : "no";
  const found = number(value);
  if (found === null) return String(value) || ABSENT;
  if (name.endsWith("_bps")) return bps(found);
  if (/(^|_)rate(_|$)|_8h$/.test(name) && !name.includes("limit")) return rate(found);
  if (name.endsWith("_ratio") || name.endsWith("_share") || name.includes("_ratio_") || name.endsWith("_percentile")) {
    return name.includes("venue_") ? plain(found) : percent(found);
  }
  if (name.includes("usdt") || name.endsWith("_value")) return `${usdt(found)} USDT`;
  if (name.endsWith("_ms")) return Math.abs(found) > 1e12 ? utc(found) : `${plain(found)} ms`;
  if (name.endsWith("_s")) return `${plain(Math.round(found * 10) / 10)} s`;
  if (name.endsWith("_hours") || name.startsWith("hours_")) return `${fixed(found, 0, 1)} h`;
  if (name.endsWith("_minutes")) return `${fixed(found, 0, 1)} min`;
  if (name.endsWith("_base") || name.endsWith("contracts")) return coins(found);
  if (name.endsWith("_px") || name.includes("price")) return plain(found);
  return plain(found);
}

/** The sign of an amount as it is shown, so that −0.001 USDT is not red. */
export function signOf(value: string | number | null | undefined): -1 | 0 | 1 {
  const found = number(value);
  if (found === null || Math.abs(found) < 0.005) return 0;
  return found > 0 ? 1 : -1;
}

export function toNumber(value: string | number | null | undefined): number {
  return number(value) ?? 0;
}
