// The engine at any moment: what it held, what it might do, and what it had decided.
import { useEffect, useRef, useState, type ReactNode } from "react";
import { withQuery } from "../api/client";
import type { Moment as Then, Performance } from "../api/types";
import { coins, shortUtc, span, usdt, utc } from "../format";
import { useSaid } from "../i18n";
import { useAsk } from "../state/ask";
import { useStatus } from "../state/engine";
import { Amount, Button, Card, Empty, Fact, Loading, Trouble } from "../ui/basic";
import { TextField } from "../ui/fields";
import { Table } from "../ui/table";
import { DecisionBody, Refusals } from "./decided";
import { Move, PermissionBadge, StateBadge } from "./words";

const SETTLE_MS = 160; // the slider stands still so long before the question is asked
const MINUTE_MS = 60_000;

export function Replay(): ReactNode {
  const { t } = useSaid();
  const status = useStatus();
  const earned = useAsk<Performance>("/api/performance");
  const [untilMs] = useState(status.now_ms); // the right end stands still while one looks back
  const fromMs = earned.data?.from_ms ?? 0;
  if (earned.data === null) {
    return <Card>{earned.problem ? <Trouble problem={earned.problem} path="/api/performance" /> : <Loading />}</Card>;
  }
  if (fromMs === 0 || untilMs <= fromMs) {
    return (
      <Card>
        <Empty title={t("replay.none")} />
      </Card>
    );
  }
  return <Machine fromMs={fromMs} untilMs={untilMs} />;
}

function Machine(props: { fromMs: number; untilMs: number }): ReactNode {
  const { t, isZh } = useSaid();
  const { fromMs, untilMs } = props;
  const [atMs, setAtMs] = useState(untilMs);
  const [askedMs, setAskedMs] = useState(untilMs);
  const [typed, setTyped] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const path = withQuery("/api/moment", { at_ms: askedMs });
  const asked = useAsk<Then>(path);
  const kept = useRef<Then | null>(null);
  if (asked.data !== null) kept.current = asked.data; // the picture before stays while the next comes
  const then = asked.data ?? kept.current;

  useEffect(() => {
    const timer = setTimeout(() => setAskedMs(atMs), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [atMs]);

  const goTo = (ms: number): void => setAtMs(Math.min(untilMs, Math.max(fromMs, ms)));
  const read = (): void => {
    const found = Date.parse(`${typed.trim().replace(" ", "T")}Z`);
    if (Number.isNaN(found) || found < fromMs || found > untilMs) {
      setProblem(t("replay.bad_time", { value: typed, from: shortUtc(fromMs), to: shortUtc(untilMs) }));
      return;
    }
    setProblem(null);
    setAtMs(found);
  };

  return (
    <div className="space-y-5">
      <Card id="replay" title={t("replay.title")} aside={<span className="num text-lg font-semibold tracking-tight">{utc(atMs)}</span>}>
        <label className="sr-only" htmlFor="moment">
          {t("replay.slider")}
        </label>
        <input
          id="moment"
          type="range"
          min={fromMs}
          max={untilMs}
          step={MINUTE_MS / 12}
          value={atMs}
          onChange={(event) => goTo(Number(event.target.value))}
          aria-valuetext={utc(atMs)}
          className="h-8 w-full accent-accent"
        />
        <div className="num flex justify-between text-xs text-faint">
          <span>{shortUtc(fromMs)}</span>
          <span>{span(untilMs - atMs, isZh)}</span>
          <span>{shortUtc(untilMs)}</span>
        </div>
        <form
          className="mt-4 flex flex-wrap items-start gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            read();
          }}
        >
          <Button
            icon="chevron"
            className="[&>svg]:rotate-180"
            aria-label={t("replay.back")}
            onClick={() => goTo((then?.decision?.at_ms ?? atMs) - 1)}
          />
          <Button icon="chevron" aria-label={t("replay.forth")} onClick={() => goTo(atMs + 5 * MINUTE_MS)} />
          <div className="min-w-52 flex-1">
            <TextField
              hideLabel
              label={t("replay.exact")}
              placeholder={utc(atMs)}
              value={typed}
              onChange={setTyped}
              problem={problem}
            />
          </div>
          <Button type="submit">{t("replay.go")}</Button>
        </form>
      </Card>
      {then === null ? (
        <Card>{asked.problem ? <Trouble problem={asked.problem} path={path} /> : <Loading />}</Card>
      ) : (
        <Picture then={then} />
      )}
    </div>
  );
}

function Picture(props: { then: Then }): ReactNode {
  const { t, isZh, sentence } = useSaid();
  const { then } = props;
  return (
    <>
      <Card>
        <dl className="grid grid-cols-2 gap-x-4 gap-y-5 lg:grid-cols-4" aria-live="polite">
          <Fact label={t("overview.state")} value={<StateBadge state={then.state} />} />
          <Fact
            label={t("overview.permission")}
            value={<PermissionBadge level={then.permission} />}
            note={then.permission_reason ? sentence(then.permission_reason) : undefined}
          />
          <Fact label={t("overview.equity")} value={usdt(then.equity)} unit="USDT" />
          <Fact label={t("overview.hedges")} value={then.hedges.length} note={t("decisions.row", { seq: then.seq })} />
        </dl>
      </Card>
      <Card id="then-hedges" title={t("overview.hedges")} flush>
        {then.hedges.length === 0 ? (
          <Empty title={t("overview.no_hedges")} />
        ) : (
          <Table
            caption={t("overview.hedges")}
            rows={then.hedges}
            rowKey={(row) => row.instrument}
            columns={[
              { key: "instrument", head: t("instrument"), cell: (row) => <span className="font-medium">{row.instrument}</span> },
              { key: "spot", head: t("hedge.spot"), right: true, from: "sm", cell: (row) => coins(row.spot_base) },
              { key: "short", head: t("hedge.short"), right: true, from: "sm", cell: (row) => coins(row.contracts) },
              { key: "notional", head: t("hedge.notional"), right: true, from: "md", cell: (row) => usdt(row.notional) },
              { key: "held", head: t("hedge.held"), right: true, from: "md", cell: (row) => span(then.at_ms - row.opened_ms, isZh) },
              { key: "funding", head: t("hedge.funding"), right: true, cell: (row) => <Amount value={row.funding} /> },
              { key: "pnl", head: t("hedge.pnl"), right: true, cell: (row) => <Amount value={row.pnl} /> },
            ]}
          />
        )}
      </Card>
      <Card id="then-decision" title={t("replay.decision")} aside={then.decision ? <Refusals decided={then.decision} /> : null}>
        {then.decision === null ? (
          <Empty title={t("replay.no_decision")} />
        ) : (
          <>
            <Head then={then} />
            <DecisionBody decided={then.decision} />
          </>
        )}
      </Card>
    </>
  );
}

function Head(props: { then: Then }): ReactNode {
  const { w, t, isZh } = useSaid();
  const { decision, at_ms } = props.then;
  if (decision === null) return null;
  return (
    <p className="mb-3 flex flex-wrap items-center gap-x-4 gap-y-1">
      <span className="num text-soft">{shortUtc(decision.at_ms)}</span>
      <span className="text-xs text-faint">{t("ago", { span: span(at_ms - decision.at_ms, isZh) })}</span>
      <span className="font-medium">{w(decision.on)}</span>
      <Move src={decision.src} dst={decision.dst} />
    </p>
  );
}
