// What can be asked of the engine, and how the page sees that it was done.
import type { Status } from "../api/types";
import { clock } from "../format";
import type { Key, Said } from "../i18n";
import type { IconName } from "../ui/icon";

export interface Command {
  name: "halt" | "flatten" | "close" | "resume" | "pause" | "unpause" | "scan";
  instrument: string;
  icon: IconName;
  danger: boolean;
  path: string;
  /** The word that is typed to confirm; empty where nothing is traded. */
  confirm: string;
  body: Record<string, unknown>;
  text: Key;
  /** What the stream shows once it is done; null until then. */
  outcome: (before: Status, now: Status, said: Said) => string | null;
}

const PAUSED = "operator";

function isPaused(status: Status): boolean {
  return status.causes.some((cause) => cause.cause === PAUSED);
}

export function commandTitle(command: Command, said: Said): string {
  return said.t(`act.${command.name}`, { instrument: command.instrument });
}

const simple = { instrument: "", danger: false, confirm: "", body: {} };

export const HALT: Command = {
  ...simple,
  name: "halt",
  icon: "stop",
  danger: true,
  path: "/api/halt",
  confirm: "HALT",
  body: { flatten: false },
  text: "act.halt_text",
  outcome: (_, now, said) => (now.state === "STOPPED" ? said.t("act.halt_done") : null),
};

export const FLATTEN: Command = {
  ...simple,
  name: "flatten",
  icon: "exit",
  danger: true,
  path: "/api/halt",
  confirm: "FLATTEN",
  body: { flatten: true },
  text: "act.flatten_text",
  outcome: (_, now, said) =>
    now.state === "STOPPED" && now.hedges.length === 0 ? said.t("act.flatten_done") : null,
};

export const RESUME: Command = {
  ...simple,
  name: "resume",
  icon: "play",
  path: "/api/resume",
  text: "act.resume_text",
  outcome: (_, now, said) => (now.state !== "STOPPED" ? said.t("act.resume_done", { state: said.w(now.state) }) : null),
};

export const PAUSE: Command = {
  ...simple,
  name: "pause",
  icon: "pause",
  path: "/api/pause",
  text: "act.pause_text",
  outcome: (_, now, said) => (isPaused(now) ? said.t("act.pause_done") : null),
};

export const UNPAUSE: Command = {
  ...simple,
  name: "unpause",
  icon: "play",
  path: "/api/unpause",
  text: "act.unpause_text",
  outcome: (_, now, said) => (isPaused(now) ? null : said.t("act.unpause_done")),
};

export const SCAN: Command = {
  ...simple,
  name: "scan",
  icon: "scan",
  path: "/api/scan/manual",
  text: "act.scan_text",
  outcome: (before, now, said) => {
    const scan = now.decisions.find((decision) => decision.on === "scan" && decision.at_ms > before.now_ms);
    return scan === undefined && now.totals.scans <= before.totals.scans
      ? null
      : said.t("act.scan_done", { at: clock(scan?.at_ms ?? now.now_ms) });
  },
};

export function closeOf(instrument: string): Command {
  return {
    ...simple,
    name: "close",
    instrument,
    icon: "exit",
    danger: true,
    path: `/api/positions/${encodeURIComponent(instrument)}/close`,
    confirm: instrument,
    text: "act.close_text",
    outcome: (_, now, said) =>
      now.hedges.some((hedge) => hedge.instrument === instrument) ? null : said.t("act.close_done", { instrument }),
  };
}

/** The commands that make sense now, the harmless first. */
export function commandsFor(status: Status): Command[] {
  const stopped = status.state === "STOPPED";
  return [
    ...(stopped ? [RESUME] : [SCAN]),
    isPaused(status) ? UNPAUSE : PAUSE,
    ...(stopped ? [] : [HALT]),
    FLATTEN,
  ];
}
