// What the guards said, in plain words: guard, what was measured, and its limit.
import type { ReactNode } from "react";
import type { FigureValue, Verdict } from "../api/types";
import { figure } from "../format";
import { useSaid, type Said } from "../i18n";
import { Icon } from "./icon";

export function figuresOf(verdict: Verdict): [string, FigureValue][] {
  return Array.isArray(verdict.figures) ? verdict.figures : Object.entries(verdict.figures);
}

// measured figure -> its limit, and which side of it is allowed
const BOUNDS: Record<string, readonly (readonly [string, string, "≥" | "≤"])[]> = {
  funding_band: [
    ["rate_8h", "min_rate_8h", "≥"],
    ["rate_8h", "max_rate_8h", "≤"],
  ],
  net_carry: [["net_carry_bps", "min_net_carry_bps", "≥"]],
  basis_in_bounds: [["basis_bps", "max_basis_bps", "≤"]],
  away_from_settlement: [["nearest_settlement_s", "quiet_s", "≥"]],
  calm: [["hourly_range_ratio", "max_hourly_range_ratio", "≤"]],
  uncrowded: [
    ["funding_percentile", "max_funding_percentile", "≤"],
    ["open_interest_rise_ratio", "max_open_interest_rise_ratio", "≤"],
  ],
  history_known: [["settlements_known", "min_settlements", "≥"]],
  cooled_down: [["hours_since_close", "cooldown_hours", "≥"]],
  legs_equal: [["drift_ratio", "limit_ratio", "≤"]],
  margin_ok: [["margin_ratio_after", "open_above_ratio", "≥"]],
  not_tripped: [
    ["losing_rounds", "max_losing_rounds", "≤"],
    ["opens_today", "max_opens_per_day", "≤"],
  ],
};

interface Measured {
  name: string;
  value: FigureValue;
  limitName: string;
  limit: FigureValue;
  side: "≥" | "≤";
  broken: boolean;
}

/** What a verdict measured against which limit, the broken ones first. */
export function measured(verdict: Verdict): Measured[] {
  const figures = new Map(figuresOf(verdict));
  const found: Measured[] = [];
  for (const [name, limitName, side] of BOUNDS[verdict.guard] ?? []) {
    const value = figures.get(name);
    const limit = figures.get(limitName);
    if (value === undefined || limit === undefined) continue;
    const [have, bound] = [Number(value), Number(limit)];
    const broken = side === "≥" ? have < bound : have > bound;
    found.push({ name, value, limitName, limit, side, broken });
  }
  if (found.length === 0) {
    for (const [limitName, limit] of figures) {
      const bound = /^(min|max)_(.+)$/.exec(limitName);
      const name = bound?.[2];
      const value = name === undefined ? undefined : figures.get(name);
      if (name === undefined || value === undefined) continue;
      const side = bound?.[1] === "min" ? "≥" : "≤";
      found.push({ name, value, limitName, limit, side, broken: side === "≥" ? Number(value) < Number(limit) : Number(value) > Number(limit) });
    }
  }
  return found.sort((a, b) => Number(b.broken) - Number(a.broken));
}

/** "Net carry: expected carry does not pay (12.3 bps, needs ≥ 15.0 bps)". */
export function verdictText(verdict: Verdict, said: Said): string {
  const reason = said.sentence(verdict.reason, verdict.guard, verdict.ok);
  const first = measured(verdict).find((one) => one.broken);
  const figures = first
    ? ` (${figure(first.name, first.value, said.isZh)}, ${first.side} ${figure(first.limitName, first.limit, said.isZh)})`
    : "";
  return `${said.guard(verdict.guard)}: ${reason}${figures}`;
}

export function Sign(props: { ok: boolean }): ReactNode {
  const { t } = useSaid();
  return (
    <span
      className={`mt-px inline-flex size-5 shrink-0 items-center justify-center rounded-full ${props.ok ? "bg-good-soft text-good" : "bg-bad-soft text-bad"}`}
    >
      <Icon name={props.ok ? "check" : "close"} size={12} />
      <span className="sr-only">{t(props.ok ? "yes" : "no")}</span>
    </span>
  );
}

/** One verdict with every figure it looked at. */
export function VerdictLine(props: { verdict: Verdict }): ReactNode {
  const said = useSaid();
  const { verdict } = props;
  const figures = figuresOf(verdict).filter(([, value]) => value !== "");
  return (
    <li className="flex break-inside-avoid gap-3 border-b border-line py-2 last:border-b-0">
      <Sign ok={verdict.ok} />
      <div className="min-w-0 flex-1">
        <p className="break-words">
          <span className="font-medium">{said.guard(verdict.guard)}</span>
          {verdict.instrument ? <span className="num ml-2 text-xs text-faint">{verdict.instrument}</span> : null}
          <span className="text-soft"> · {said.sentence(verdict.reason, verdict.guard, verdict.ok)}</span>
        </p>
        {figures.length > 0 ? (
          <dl className="mt-1 flex flex-wrap gap-x-4 gap-y-0.5 text-xs">
            {figures.map(([name, value]) => (
              <div key={name} className="flex gap-1.5" title={`${name} = ${String(value)}`}>
                <dt className="text-faint">{said.figure(name)}</dt>
                <dd className="num text-soft">{figure(name, value, said.isZh)}</dd>
              </div>
            ))}
          </dl>
        ) : null}
      </div>
    </li>
  );
}

/** All verdicts of a decision, what said no first. */
export function Verdicts(props: { verdicts: readonly Verdict[] }): ReactNode {
  const { t } = useSaid();
  const no = props.verdicts.filter((verdict) => !verdict.ok);
  const yes = props.verdicts.filter((verdict) => verdict.ok);
  if (props.verdicts.length === 0) return <p className="text-xs text-faint">{t("decisions.no_verdicts")}</p>;
  return (
    <div className={`grid gap-x-8 gap-y-3 ${no.length > 0 && yes.length > 0 ? "lg:grid-cols-2" : ""}`}>
      {[
        { key: "decisions.said_no" as const, verdicts: no },
        { key: "decisions.said_yes" as const, verdicts: yes },
      ].map(({ key, verdicts }) =>
        verdicts.length > 0 ? (
          <div key={key} className="min-w-0">
            <h4 className="eyebrow">
              {t(key)} · {verdicts.length}
            </h4>
            <ul className={verdicts.length === props.verdicts.length ? "gap-x-8 lg:columns-2" : ""}>
              {verdicts.map((verdict, index) => (
                <VerdictLine key={`${verdict.guard} ${verdict.instrument ?? ""} ${index}`} verdict={verdict} />
              ))}
            </ul>
          </div>
        ) : null,
      )}
    </div>
  );
}
