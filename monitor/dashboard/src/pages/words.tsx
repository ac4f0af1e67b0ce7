// What several pages say in the same way.
import type { ReactNode } from "react";
import type { Level, State } from "../api/types";
import { shortUtc, span } from "../format";
import { useSaid } from "../i18n";
import { useNow } from "../state/engine";
import { Badge, type Tone } from "../ui/basic";

export const STATE_TONE: Record<State, Tone> = {
  IDLE: "accent",
  OPENING: "accent",
  RUNNING: "good",
  REBALANCING: "warn",
  STOPPED: "bad",
};

export const LEVEL_TONE: Record<Level, Tone> = { info: "accent", warning: "warn", critical: "bad" };

export function permissionTone(level: string): Tone {
  return level === "FULL" ? "good" : level === "HALTED" ? "bad" : "warn";
}

export function StateBadge(props: { state: State }): ReactNode {
  const { w } = useSaid();
  return (
    <Badge tone={STATE_TONE[props.state]} dot>
      {w(props.state)}
    </Badge>
  );
}

export function PermissionBadge(props: { level: string }): ReactNode {
  const { w } = useSaid();
  return <Badge tone={permissionTone(props.level)}>{w(props.level)}</Badge>;
}

/** An instant with its age by the engine's clock: 01-06 08:00:05 · 2h 3m ago. */
export function Moment(props: { atMs: number; age?: boolean }): ReactNode {
  const { t, isZh } = useSaid();
  const now = useNow();
  return (
    <span className="num">
      {shortUtc(props.atMs)}
      {props.age ? <span className="ml-1.5 text-xs text-faint">{t("ago", { span: span(now - props.atMs, isZh) })}</span> : null}
    </span>
  );
}

/** From where to where, or where it stayed. */
export function Move(props: { src: State; dst: State }): ReactNode {
  const { t, w } = useSaid();
  if (props.src === props.dst) return <span className="text-soft">{t("decisions.stayed", { state: w(props.src) })}</span>;
  return (
    <span className="inline-flex items-center gap-1.5">
      <span className="text-soft">{w(props.src)}</span>
      <span aria-hidden="true" className="text-faint">
        →
      </span>
      <StateBadge state={props.dst} />
    </span>
  );
}
