// The state machine as a picture: the present state lit, the last move bold.
import type { ReactNode } from "react";
import type { Machine, State } from "../api/types";
import { useSaid } from "../i18n";

const WIDTH = 400;
const HEIGHT = 306;
const BOX = { width: 112, height: 42 };

const PLACES: Record<State, { x: number; y: number }> = {
  IDLE: { x: 62, y: 104 },
  OPENING: { x: 200, y: 30 },
  RUNNING: { x: 338, y: 104 },
  REBALANCING: { x: 200, y: 178 },
  STOPPED: { x: 200, y: 276 },
};

const BEND = 15;
/** Ways that would run through another box go around it. */
const AROUND: Record<string, number> = { "OPENING STOPPED": 134, "STOPPED OPENING": 134 };

const STATES = Object.keys(PLACES) as State[];

interface Way {
  src: State;
  dst: State;
  on: string[];
}

/** Events that can come in any state would hide the rest: they are one arrow into where they lead. */
function isFromAnywhere(sources: Set<State>): boolean {
  return sources.size >= 4;
}

interface Drawn {
  ways: Way[];
  anywhere: { dst: State; on: string[] }[];
}

export function waysOf(machine: Machine): Drawn {
  const bySourceOf = new Map<string, Set<State>>();
  const rows = machine.transitions
    .filter((row) => row.on !== "boot" && row.dst !== null)
    .flatMap((row) => (Array.isArray(row.src) ? row.src : [row.src]).map((src) => ({ on: row.on, src, dst: row.dst as State })));
  for (const row of rows) {
    const key = `${row.on} ${row.dst}`;
    bySourceOf.set(key, (bySourceOf.get(key) ?? new Set()).add(row.src));
  }
  const ways = new Map<string, Way>();
  const anywhere = new Map<State, Set<string>>();
  for (const { on, src, dst } of rows) {
    if (isFromAnywhere(bySourceOf.get(`${on} ${dst}`) ?? new Set())) {
      anywhere.set(dst, (anywhere.get(dst) ?? new Set()).add(on));
    } else if (src !== dst) {
      const way = ways.get(`${src} ${dst}`) ?? { src, dst, on: [] };
      if (!way.on.includes(on)) way.on.push(on);
      ways.set(`${src} ${dst}`, way);
    }
  }
  return { ways: [...ways.values()], anywhere: [...anywhere].map(([dst, on]) => ({ dst, on: [...on] })) };
}

/** Where a line from the middle of a box towards a point leaves the box. */
function rim(from: { x: number; y: number }, to: { x: number; y: number }, gap: number): { x: number; y: number } {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const scale = Math.min(
    (BOX.width / 2 + gap) / Math.max(Math.abs(dx), 0.001),
    (BOX.height / 2 + gap) / Math.max(Math.abs(dy), 0.001),
  );
  return { x: from.x + dx * scale, y: from.y + dy * scale };
}

function curve(src: State, dst: State): string {
  const a = PLACES[src];
  const b = PLACES[dst];
  const length = Math.hypot(b.x - a.x, b.y - a.y);
  // Bent to the left of its way, so that there and back are two lines.
  const bend = AROUND[`${src} ${dst}`] ?? BEND;
  const middle = {
    x: (a.x + b.x) / 2 + ((b.y - a.y) / length) * bend,
    y: (a.y + b.y) / 2 - ((b.x - a.x) / length) * bend,
  };
  const start = rim(a, middle, 2);
  const end = rim(b, middle, 7);
  return `M${start.x.toFixed(1)} ${start.y.toFixed(1)}Q${middle.x.toFixed(1)} ${middle.y.toFixed(1)} ${end.x.toFixed(1)} ${end.y.toFixed(1)}`;
}

const LIT: Record<State, { box: string; ink: string }> = {
  IDLE: { box: "var(--accent-soft)", ink: "var(--accent)" },
  OPENING: { box: "var(--accent-soft)", ink: "var(--accent)" },
  RUNNING: { box: "var(--good-soft)", ink: "var(--good)" },
  REBALANCING: { box: "var(--warn-soft)", ink: "var(--warn)" },
  STOPPED: { box: "var(--bad-soft)", ink: "var(--bad)" },
};

export function MachinePicture(props: {
  machine: Machine | null;
  state: State;
  last: { src: State; dst: State } | null;
}): ReactNode {
  const said = useSaid();
  const { ways, anywhere } = props.machine ? waysOf(props.machine) : { ways: [], anywhere: [] };
  const meaning = (state: State): string => props.machine?.states.find((one) => one.name === state)?.meaning ?? "";
  const isLast = (way: Way): boolean => props.last?.src === way.src && props.last.dst === way.dst;
  const ordered = [...ways].sort((a, b) => Number(isLast(a)) - Number(isLast(b)));
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={said.t("overview.machine_label", { state: said.w(props.state) })}
      data-state={props.state}
      className="mx-auto w-full max-w-[30rem]"
    >
      <defs>
        {(["line", "last"] as const).map((kind) => (
          <marker key={kind} id={`arrow-${kind}`} viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse" markerUnits="userSpaceOnUse">
            <path d="M0.5 0.5L7 4L0.5 7.5z" fill={kind === "last" ? "var(--accent)" : "var(--edge)"} />
          </marker>
        ))}
      </defs>
      {ordered.map((way) => {
        const last = isLast(way);
        const emergency = way.dst === "STOPPED" || way.src === "STOPPED";
        return (
          <path
            key={`${way.src} ${way.dst}`}
            d={curve(way.src, way.dst)}
            fill="none"
            stroke={last ? "var(--accent)" : "var(--edge)"}
            strokeWidth={last ? 2.4 : 1.1}
            strokeDasharray={emergency && !last ? "3 4" : undefined}
            opacity={last ? 1 : emergency ? 0.6 : 0.85}
            markerEnd={`url(#arrow-${last ? "last" : "line"})`}
          >
            <title>{`${said.w(way.src)} → ${said.w(way.dst)}: ${way.on.map(said.w).join(", ")}`}</title>
          </path>
        );
      })}
      {anywhere.map(({ dst, on }) => {
        const place = PLACES[dst];
        const side = { x: place.x - 160, y: place.y };
        const end = rim(place, side, 7);
        if (dst !== "STOPPED") return null;
        return (
          <g key={dst}>
            <path
              d={`M${end.x - 26} ${end.y}L${end.x} ${end.y}`}
              stroke="var(--edge)"
              strokeWidth={1.1}
              strokeDasharray="3 4"
              markerEnd="url(#arrow-line)"
            />
            <text textAnchor="end" fontSize={11.5} fill="var(--faint)">
              <tspan x={end.x - 32} y={end.y - 3} fill="var(--soft)">
                {on.map(said.w).join(", ")}
              </tspan>
              <tspan x={end.x - 32} y={end.y + 12}>
                {said.t("overview.any")}
              </tspan>
            </text>
          </g>
        );
      })}
      {STATES.map((state) => {
        const { x, y } = PLACES[state];
        const lit = state === props.state;
        const look = LIT[state];
        return (
          <g key={state} data-lit={lit || undefined}>
            <title>{meaning(state)}</title>
            {lit ? (
              <rect
                x={x - BOX.width / 2 - 4}
                y={y - BOX.height / 2 - 4}
                width={BOX.width + 8}
                height={BOX.height + 8}
                rx={14}
                fill="none"
                stroke={look.ink}
                strokeWidth={1.5}
                className="breathe"
              />
            ) : null}
            <rect
              x={x - BOX.width / 2}
              y={y - BOX.height / 2}
              width={BOX.width}
              height={BOX.height}
              rx={10}
              fill={lit ? look.box : "var(--card)"}
              stroke={lit ? look.ink : "var(--edge)"}
              strokeWidth={lit ? 1.6 : 1}
            />
            <text x={x} y={y + 5} textAnchor="middle" fontSize={14} fontWeight={lit ? 650 : 500} fill={lit ? look.ink : "var(--soft)"}>
              {said.w(state)}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
