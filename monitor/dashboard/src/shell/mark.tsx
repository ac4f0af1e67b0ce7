import type { ReactNode } from "react";

/** Two legs that hold each other level. */
export function Mark(props: { size?: number }): ReactNode {
  const size = props.size ?? 28;
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className="shrink-0">
      <rect width="32" height="32" rx="8" fill="var(--accent)" />
      <path d="M8 12h16M8 20h16" stroke="var(--on-accent)" strokeWidth="3" strokeLinecap="round" opacity="0.55" />
      <circle cx="12.5" cy="12" r="3.5" fill="var(--on-accent)" />
      <circle cx="19.5" cy="20" r="3.5" fill="var(--on-accent)" />
    </svg>
  );
}
