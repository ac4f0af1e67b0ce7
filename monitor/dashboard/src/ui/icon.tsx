import type { ReactNode } from "react";

// Drawn on a 20 x 20 grid with a stroke of 1.6.
const PATHS = {
  pulse: "M2 10h3.5l2.5-6 4 12 2.5-6H18",
  chart: "M3 17V3M3 17h14M6.5 13.5l3.5-4 3 2.5 4-5.5",
  filter: "M3 5h14M6 10h8M8.5 15h3",
  branch: "M6 3v14M6 8c0 3 8 1 8 5v4M14 4v2",
  shield: "M10 2.5l6 2.2v4.6c0 4-2.6 6.6-6 8.2-3.4-1.6-6-4.2-6-8.200V4.700z",
  book: "M4 4.500C4 3.7 4.7 3 5.5 3H16v14H5.500C4.7 17 4 16.3 4 15.500zM4 14.500c0-.8.7-1.5 1.5-1.500H16M8 6.500h4.5",
  sliders: "M3 6h7M14 6h3M3 14h3M10 14h7M12 4v4M8 12v4",
  lines: "M3 5h14M3 10h10M3 15h12",
  stop: "M6 6h8v8H6z",
  pause: "M7.5 5v10M12.5 5v10",
  play: "M7 5l8 5-8 5z",
  scan: "M10 4a6 6 0 1 1-5.5 3.600M4 3.500v4h4",
  exit: "M8 4H4.500v12H8M9 10h8M14 7l3 3-3 3",
  more: "M4.5 10h.01M10 10h.01M15.5 10h.01",
  close: "M5 5l10 10M15 5L5 15",
  chevron: "M7 4.500l5.5 5.500L7 15.5",
  down: "M4.5 7l5.5 5.500L15.5 7",
  check: "M4 10.500l4 4 8-9",
  warn: "M10 3l7.5 13.500h-15zM10 8.500v3.500M10 14.300v.01",
  lock: "M5 9.500h10V17H5zM7 9.500V7a3 3 0 0 1 6 0v2.5",
  search: "M9 4a5 5 0 1 1 0 10A5 5 0 0 1 9 4zM13 13l4 4",
  sun: "M10 6.500a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7zM10 2v1.500M10 16.500V18M2 10h1.500M16.5 10H18M4.3 4.300l1.1 1.100M14.6 14.600l1.1 1.100M4.3 15.700l1.1-1.100M14.6 5.400l1.1-1.1",
  moon: "M16.5 11.500A7 7 0 1 1 8.5 3.500a5.5 5.5 0 0 0 8 8z",
  half: "M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM10 3v14",
  globe: "M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM3 10h14M10 3c-4 4-4 10 0 14M10 3c4 4 4 10 0 14",
  clock: "M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM10 6.500V10l2.5 2",
  arrow: "M4 10h12M11.5 5.500L16 10l-4.5 4.5",
  save: "M10 3v9M6 8.500l4 4 4-4M4 16.500h12",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon(props: { name: IconName; size?: number; className?: string }): ReactNode {
  const size = props.size ?? 18;
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth={props.name === "more" ? 2.4 : 1.6}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      className={`shrink-0 ${props.className ?? ""}`}
    >
      <path d={PATHS[props.name]} />
    </svg>
  );
}
