import { useState, type ReactNode } from "react";
import { get, Problem, withQuery } from "../api/client";
import type { Decided } from "../api/types";
import { useSaid, type Said } from "../i18n";
import { useAsk } from "../state/ask";
import { useStatus } from "../state/engine";
import { Button, Card, Empty, Loading, Tabs, Trouble } from "../ui/basic";
import { SelectField, Toggle } from "../ui/fields";
import { Icon } from "../ui/icon";
import { verdictText } from "../ui/verdict";
import { DecisionBody, Refusals } from "./decided";
import { Replay } from "./replay";
import { Moment, Move } from "./words";

const PAGE = 30;
const EVENTS = [
  "scan", "review", "settle", "account", "opened", "open_failed", "rebalanced", "deadline", "breach", "halt", "resume", "boot",
];

export function Decisions(): ReactNode {
  const { t } = useSaid();
  const [tab, setTab] = useState<"timeline" | "replay">("timeline");
  return (
    <div className="space-y-5">
      <Tabs
        label={t("nav.decisions")}
        value={tab}
        onChange={setTab}
        options={[
          { value: "timeline", label: t("decisions.timeline") },
          { value: "replay", label: t("decisions.replay") },
        ]}
      />
      {tab === "timeline" ? <Timeline /> : <Replay />}
    </div>
  );
}

/** The instruments that a filter can be set to. */
export function useInstruments(): string[] {
  const status = useStatus();
  const names = [
    ...status.hedges.map((line) => line.instrument),
    ...status.candidates.map((line) => line.instrument),
    ...status.settlements.map((line) => line.instrument),
  ];
  return [...new Set(names)].sort();
}

/** The reason, or the last no: the row of the table that came nearest. */
function inShort(one: Decided, said: Said): string {
  if (one.reason) return said.sentence(one.reason);
  const no = one.verdicts.filter((verdict) => !verdict.ok).at(-1);
  return no === undefined ? "" : verdictText(no, said);
}

function Timeline(): ReactNode {
  const said = useSaid();
  const { t, w } = said;
  const status = useStatus();
  const instruments = useInstruments();
  const [instrument, setInstrument] = useState("");
  const [on, setOn] = useState("");
  const [moved, setMoved] = useState(false);
  const [open, setOpen] = useState<number | null>(null);
  const path = withQuery("/api/decisions", { most: on ? 500 : PAGE, instrument, moved });
  const first = useAsk<Decided[]>(path);
  const [more, setMore] = useState<{ path: string; rows: Decided[]; problem: Problem | null }>({ path, rows: [], problem: null });
  const older = more.path === path ? more.rows : [];
  const rows = [...(first.data ?? []), ...older].filter((one) => !on || one.on === on);
  const newest = first.data?.[0];
  const isOld = newest !== undefined && (status.decisions[0]?.at_ms ?? 0) > newest.at_ms && !first.busy;

  const askOlder = async (): Promise<void> => {
    const last = [...(first.data ?? []), ...older].at(-1);
    if (last === undefined) return;
    try {
      const found = await get<Decided[]>(withQuery(path, {}).concat(`&before_seq=${last.seq}`));
      setMore({ path, rows: [...older, ...found], problem: null });
    } catch (error) {
      setMore({ path, rows: older, problem: error instanceof Problem ? error : new Problem(0, "failed", String(error)) });
    }
  };

  return (
    <Card
      id="timeline"
      title={t("decisions.timeline")}
      flush
      aside={
        <Button small icon="scan" disabled={!isOld} onClick={() => { setMore({ path, rows: [], problem: null }); first.again(); }}>
          {t("newer")}
        </Button>
      }
    >
      <div className="grid grid-cols-1 items-end gap-3 px-5 pb-4 sm:grid-cols-[1fr_1fr_auto]">
        <SelectField
          label={t("instrument")}
          value={instrument}
          onChange={setInstrument}
          options={[{ value: "", label: t("decisions.any_instrument") }, ...instruments.map((name) => ({ value: name, label: name }))]}
        />
        <SelectField
          label={t("decisions.event")}
          value={on}
          onChange={setOn}
          options={[{ value: "", label: t("decisions.any_event") }, ...EVENTS.map((name) => ({ value: name, label: w(name) }))]}
        />
        <Toggle label={t("decisions.moved")} checked={moved} onChange={setMoved} />
      </div>
      {first.data === null ? (
        first.problem ? <Trouble problem={first.problem} path={path} /> : <Loading />
      ) : rows.length === 0 ? (
        <Empty title={t("decisions.none")} />
      ) : (
        <ol className="divide-y divide-line border-t border-line">
          {rows.map((one) => (
            <li key={one.seq}>
              <button
                type="button"
                aria-expanded={open === one.seq}
                onClick={() => setOpen(open === one.seq ? null : one.seq)}
                className="grid w-full grid-cols-[auto_1fr_auto] items-center gap-x-3 gap-y-1 px-5 py-3 text-left hover:bg-sunken sm:flex"
              >
                <Icon name="chevron" size={14} className={`text-faint transition-transform ${open === one.seq ? "rotate-90" : ""}`} />
                <span className="order-3 text-xs text-faint sm:order-none sm:w-28 sm:text-sm sm:text-soft">
                  <Moment atMs={one.at_ms} />
                </span>
                <span className="order-2 min-w-0 font-medium sm:order-none sm:w-40">
                  {w(one.on)}
                  {one.instrument ? <span className="ml-2 text-xs font-normal text-faint">{one.instrument}</span> : null}
                </span>
                <span className="order-4 col-span-2 col-start-2 flex flex-wrap items-center justify-between gap-1.5 sm:contents">
                  <span className="min-w-0 sm:w-48 sm:max-lg:flex-1">
                    <Move src={one.src} dst={one.dst} />
                  </span>
                  <span className="hidden min-w-0 flex-1 truncate text-xs text-faint lg:block">{inShort(one, said)}</span>
                  <Refusals decided={one} />
                </span>
              </button>
              {open === one.seq ? (
                <div className="px-5 pt-1 pb-5 sm:pl-12">
                  <DecisionBody decided={one} />
                </div>
              ) : null}
            </li>
          ))}
        </ol>
      )}
      {more.problem ? <Trouble problem={more.problem} path={path} /> : null}
      {rows.length > 0 ? (
        <div className="border-t border-line px-5 py-3 text-center">
          <Button small kind="quiet" onClick={() => void askOlder()}>
            {t("older")}
          </Button>
        </div>
      ) : null}
    </Card>
  );
}
