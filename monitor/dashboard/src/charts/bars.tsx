import type { ReactNode } from "react";
import { signed } from "../format";

export interface Bar {
  /** What stands under it, and its key. */
  name: string;
  parts: { series: string; value: number }[];
}

const COLOURS = ["var(--c1)", "var(--c2)", "var(--c3)", "var(--c4)", "var(--c5)", "var(--c6)"];

export function colourOf(series: string, all: readonly string[]): string {
  return COLOURS[Math.min(Math.max(0, all.indexOf(series)), COLOURS.length - 1)] ?? "var(--c6)";
}

/** Bars of stacked parts, above and below zero. */
export function StackedBars(props: { label: string; bars: Bar[]; series: string[]; height?: number }): ReactNode {
  const height = props.height ?? 180;
  const ups = props.bars.map((bar) => bar.parts.reduce((sum, part) => sum + Math.max(0, part.value), 0));
  const downs = props.bars.map((bar) => bar.parts.reduce((sum, part) => sum + Math.min(0, part.value), 0));
  const most = Math.max(...ups, 0);
  const least = Math.min(...downs, 0);
  const scale = height / (most - least || 1);
  const every = Math.ceil(props.bars.length / 8);
  return (
    <figure role="img" aria-label={props.label}>
      <div className="flex gap-1" aria-hidden="true">
        {props.bars.map((bar, index) => {
          const total = bar.parts.reduce((sum, part) => sum + part.value, 0);
          let up = 0;
          let down = 0;
          return (
            <div key={bar.name} className="group min-w-0 flex-1" title={`${bar.name}: ${signed(total)} USDT`}>
              <p className="num h-5 overflow-visible text-center text-[0.6875rem] text-soft opacity-0 group-hover:opacity-100">
                {signed(total)}
              </p>
              <div className="relative mx-auto max-w-14" style={{ height }}>
                {bar.parts.map((part) => {
                  const size = Math.abs(part.value) * scale;
                  let top: number;
                  if (part.value >= 0) {
                    up += part.value;
                    top = (most - up) * scale;
                  } else {
                    top = (most - down) * scale;
                    down += part.value;
                  }
                  return (
                    <span
                      key={part.series}
                      className="absolute inset-x-0 rounded-xs"
                      style={{ top, height: Math.max(size - 1, 1), background: colourOf(part.series, props.series) }}
                    />
                  );
                })}
                <span className="absolute inset-x-0 h-px bg-edge" style={{ top: most * scale }} />
              </div>
              <p className="num mt-1.5 h-4 text-center text-[0.6875rem] text-faint">
                {index % every === 0 || index === props.bars.length - 1 ? bar.name.slice(5) : ""}
              </p>
            </div>
          );
        })}
      </div>
      {props.series.length > 1 ? (
        <figcaption className="mt-3 flex flex-wrap gap-x-4 gap-y-1 text-xs text-soft">
          {props.series.map((series) => (
            <span key={series} className="inline-flex items-center gap-1.5">
              <span className="size-2.5 rounded-xs" style={{ background: colourOf(series, props.series) }} aria-hidden="true" />
              {series}
            </span>
          ))}
        </figcaption>
      ) : null}
    </figure>
  );
}
