// A time series by uPlot, in the colours of the page.
import { useEffect, useRef, useState, type ReactNode } from "react";
import uPlot from "uplot";
import { day, shortUtc, usdt, whole } from "../format";

interface Props {
  label: string;
  /** Seconds since 1970, as uPlot counts. */
  times: number[];
  values: number[];
  height?: number;
  theme: string;
  name: string;
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export function LineChart(props: Props): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const height = props.height ?? 240;

  useEffect(() => {
    const place = box.current;
    if (place === null) return;
    const width = (): number => Math.max(200, place.clientWidth);
    const axis: uPlot.Axis = {
      stroke: colour("--faint"),
      font: "11px Inter, system-ui, sans-serif",
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { show: false },
      gap: 8,
    };
    const chart = new uPlot(
      {
        width: width(),
        height,
        padding: [8, 36, 0, 0],
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
        legend: { show: false },
        cursor: { y: false, points: { size: 8 } },
        scales: { x: { time: true } },
        axes: [
          {
            ...axis,
            grid: { show: false },
            space: 84,
            size: 30,
            values: (_, ticks, __, ___, step) =>
              ticks.map((tick) => (step >= 86_400 ? day(tick * 1000).slice(5) : shortUtc(tick * 1000).slice(0, 11))),
          },
          { ...axis, size: 64, values: (_, ticks) => labels(ticks) },
        ],
        series: [
          {},
          {
            stroke: colour("--c1"),
            width: 1.75,
            fill: (self) => faded(self),
            points: { show: false },
          },
        ],
        hooks: { setCursor: [(self) => setAt(self.cursor.idx ?? null)] },
      },
      [props.times, props.values],
      place,
    );
    plot.current = chart;
    const watch = new ResizeObserver(() => chart.setSize({ width: width(), height }));
    watch.observe(place);
    return () => {
      watch.disconnect();
      chart.destroy();
      plot.current = null;
    };
    // A new theme is a new chart; new data only moves it.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [props.theme, height]);

  useEffect(() => {
    plot.current?.setData([props.times, props.values]);
  }, [props.times, props.values]);

  const index = at ?? props.times.length - 1;
  const time = props.times[index];
  const value = props.values[index];
  return (
    <figure>
      <figcaption className="num mb-1 flex justify-between gap-4 text-xs text-faint" aria-hidden="true">
        <span>{time !== undefined ? shortUtc(time * 1000).slice(0, 11) : ""}</span>
        <span>
          {props.name} <span className="font-semibold text-ink">{usdt(value)}</span>
        </span>
      </figcaption>
      <div ref={box} role="img" aria-label={props.label} style={{ height }} />
    </figure>
  );
}

function labels(ticks: number[]): string[] {
  const step = ticks.length > 1 ? Math.abs((ticks[1] ?? 0) - (ticks[0] ?? 0)) : 1;
  return ticks.map((tick) => (step < 1 ? usdt(tick) : whole(tick)));
}

function faded(self: uPlot): CanvasGradient | string {
  const { top, height } = self.bbox;
  if (!Number.isFinite(top) || !Number.isFinite(height) || height <= 0) return "transparent";
  const down = self.ctx.createLinearGradient(0, top, 0, top + height);
  const base = colour("--c1");
  down.addColorStop(0, `${base}2e`);
  down.addColorStop(1, `${base}00`);
  return down;
}
