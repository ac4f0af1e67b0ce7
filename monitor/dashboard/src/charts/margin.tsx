import type { ReactNode } from "react";
import { percent, toNumber } from "../format";
import { useSaid } from "../i18n";
import { Empty } from "../ui/basic";

export interface MarginLimits {
  emergency: number;
  rebalance: number;
  target: number;
  sweep: number;
}

/** The margin ratio between its thresholds: red below the emergency, amber below the top-up. */
export function MarginGauge(props: { ratio: string | null; limits: MarginLimits }): ReactNode {
  const { t } = useSaid();
  const { limits } = props;
  if (props.ratio === null) return <Empty title={t("margin.unknown")} />;
  const ratio = toNumber(props.ratio);
  const most = Math.max(limits.sweep * 1.2, Math.min(ratio * 1.1, limits.sweep * 2));
  const place = (value: number): number => Math.min(100, Math.max(0, (value / most) * 100));
  const tone = ratio < limits.emergency ? "text-bad" : ratio < limits.rebalance ? "text-warn" : "text-good";
  const marks = [
    { key: "emergency", at: limits.emergency },
    { key: "rebalance", at: limits.rebalance },
    { key: "target", at: limits.target },
    { key: "sweep", at: limits.sweep },
  ] as const;
  return (
    <div
      role="img"
      aria-label={t("margin.label", {
        ratio: percent(props.ratio),
        emergency: percent(limits.emergency, 0),
        rebalance: percent(limits.rebalance, 0),
        target: percent(limits.target, 0),
      })}
    >
      <p className={`num text-2xl leading-8 font-semibold tracking-tight ${tone}`} aria-hidden="true">
        {percent(props.ratio, 1)}
      </p>
      <div className="relative mt-3" aria-hidden="true">
        <div className="flex h-2.5 overflow-hidden rounded-full">
          <span className="bg-bad/75" style={{ width: `${place(limits.emergency)}%` }} />
          <span className="bg-warn/55" style={{ width: `${place(limits.rebalance) - place(limits.emergency)}%` }} />
          <span className="bg-good/55" style={{ width: `${place(limits.sweep) - place(limits.rebalance)}%` }} />
          <span className="flex-1 bg-edge/30" />
        </div>
        <span
          className="absolute -top-1 h-4.5 w-1 -translate-x-1/2 rounded-full bg-ink ring-2 ring-card transition-[left] duration-500"
          style={{ left: `${place(ratio)}%` }}
        />
        <div className="relative mt-1.5 h-9">
          {marks.map((mark) => (
            <span
              key={mark.key}
              className="num absolute -translate-x-1/2 text-center text-[0.6875rem] leading-4 text-faint"
              style={{ left: `${place(mark.at)}%` }}
            >
              {percent(mark.at, 0)}
              <br />
              {t(`margin.${mark.key}`)}
            </span>
          ))}
        </div>
      </div>
    </div>
  );
}
