import type { ReactNode } from "react";
import type { Terms } from "../api/types";
import { toNumber } from "../format";
import { useSaid, type Key } from "../i18n";
import { Amount } from "../ui/basic";

// Costs are told as what they cost: they come off.
const STEPS = [
  ["funding", 1],
  ["basis", 1],
  ["fees", -1],
  ["slippage", -1],
  ["interest", -1],
  ["other", 1],
] as const satisfies readonly (readonly [keyof Terms, 1 | -1])[];

export function netOf(terms: Terms): number {
  return STEPS.reduce((sum, [name, sign]) => sum + sign * toNumber(terms[name]), 0);
}

/** How the terms add up to the net result: each bar begins where the one before ended. */
export function Waterfall(props: { terms: Terms }): ReactNode {
  const { t } = useSaid();
  let sum = 0;
  const bars = STEPS.map(([name, sign]) => {
    const amount = sign * toNumber(props.terms[name]);
    const bar = { name, amount, from: sum, to: sum + amount };
    sum += amount;
    return bar;
  }).filter((bar) => Math.abs(bar.amount) >= 0.005 || bar.name === "funding" || bar.name === "basis" || bar.name === "fees");
  const all = [...bars, { name: "net" as const, amount: sum, from: 0, to: sum }];
  const least = Math.min(0, ...all.flatMap((bar) => [bar.from, bar.to]));
  const most = Math.max(0, ...all.flatMap((bar) => [bar.from, bar.to]));
  const width = most - least || 1;
  const place = (value: number): number => ((value - least) / width) * 100;

  return (
    <dl className="space-y-2.5">
      {all.map((bar) => (
        <div
          key={bar.name}
          className={`grid grid-cols-[5.5rem_1fr_5.5rem] items-center gap-3 ${bar.name === "net" ? "border-t border-line pt-2.5" : ""}`}
        >
          <dt className={bar.name === "net" ? "font-semibold" : "text-soft"}>{t(`term.${bar.name}` as Key)}</dt>
          <dd className="relative h-5 rounded-sm bg-sunken" aria-hidden="true">
            <span className="absolute inset-y-0 w-px bg-edge" style={{ left: `${place(0)}%` }} />
            <span
              className={`absolute inset-y-0.5 min-w-0.5 rounded-xs ${bar.name === "net" ? "bg-accent" : bar.amount >= 0 ? "bg-good" : "bg-bad"}`}
              style={{
                left: `${place(Math.min(bar.from, bar.to))}%`,
                width: `${(Math.abs(bar.to - bar.from) / width) * 100}%`,
              }}
            />
          </dd>
          <dd className={`text-right ${bar.name === "net" ? "font-semibold" : ""}`}>
            <Amount value={bar.amount} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
