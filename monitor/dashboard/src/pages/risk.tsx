import type { ReactNode } from "react";
import type { Decided, FigureValue, Status, Verdict } from "../api/types";
import { figure, percent, plain, shortUtc, span, usdt } from "../format";
import { useSaid } from "../i18n";
import { useAsk } from "../state/ask";
import { useStatus } from "../state/engine";
import { limitAt, useSettings } from "../state/settings";
import { Badge, Card, Fact, Trouble, type Tone } from "../ui/basic";
import { Table } from "../ui/table";
import { figuresOf } from "../ui/verdict";
import { Causes } from "./causes";
import { Margin } from "./overview";
import { Refusals } from "./refusals";
import { Moment, PermissionBadge, permissionTone } from "./words";

const LEVELS = ["FULL", "NO_NEW_RISK", "REDUCE_ONLY", "HALTED"];

export function Risk(): ReactNode {
  const status = useStatus();
  const scans = useAsk<Decided[]>("/api/decisions?most=40", status.totals.scans);
  const scan = scans.data?.find((one) => one.verdicts.some((verdict) => verdict.guard === "venue_up")) ?? null;
  return (
    <div className="grid gap-5 xl:grid-cols-2">
      <Permission status={status} />
      <MarginCard status={status} />
      <Breaker status={status} scan={scan} />
      <Venue status={status} scan={scan} />
      {scans.problem ? <Trouble problem={scans.problem} path="/api/decisions" /> : null}
      <Streams status={status} />
      <Tasks status={status} />
      <Refusals news={status.totals.scans} />
    </div>
  );
}

function Permission(props: { status: Status }): ReactNode {
  const { t, w } = useSaid();
  const { status } = props;
  const at = LEVELS.indexOf(status.permission);
  return (
    <Card id="permission" title={t("overview.permission")} aside={<PermissionBadge level={status.permission} />}>
      <ol className="grid grid-cols-4 gap-1.5" aria-label={t("risk.levels")}>
        {LEVELS.map((level, index) => {
          const lit = index === at;
          const tone = permissionTone(level);
          const colour = tone === "good" ? "bg-good" : tone === "bad" ? "bg-bad" : "bg-warn";
          return (
            <li key={level} aria-current={lit || undefined} className="min-w-0">
              <span className={`block h-1.5 rounded-full ${lit ? colour : "bg-line"}`} aria-hidden="true" />
              <span className={`mt-1.5 block text-xs leading-4 ${lit ? "font-semibold" : "text-faint"}`}>{w(level)}</span>
            </li>
          );
        })}
      </ol>
      {status.state === "STOPPED" ? <p className="mt-5 font-medium text-bad">{t("overview.stopped")}</p> : null}
      <h3 className="eyebrow mt-5">{t("risk.causes")}</h3>
      <Causes causes={status.causes} />
      {status.permission_since_ms > 0 ? (
        <p className="mt-3 text-xs text-faint">
          <Moment atMs={status.permission_since_ms} age />
        </p>
      ) : null}
    </Card>
  );
}

function MarginCard(props: { status: Status }): ReactNode {
  const { t } = useSaid();
  return (
    <Card id="margin" title={t("risk.margin")} note={t("overview.margin_note")}>
      <Margin ratio={props.status.margin_ratio} />
    </Card>
  );
}

/** How much of a limit is used: amber from four fifths on, red when it is reached. */
function Use(props: { label: string; shown: string; used: number; limit: string }): ReactNode {
  const { t } = useSaid();
  const share = Number.isFinite(props.used) ? Math.min(1, Math.max(0, props.used)) : 0;
  const tone: Tone = share >= 1 ? "bad" : share >= 0.8 ? "warn" : "plain";
  const colour = tone === "bad" ? "bg-bad" : tone === "warn" ? "bg-warn" : "bg-soft";
  return (
    <div>
      <dt className="flex items-baseline justify-between gap-3">
        <span className="text-soft">{props.label}</span>
        <span className="text-xs text-faint">{t("risk.limit", { limit: props.limit })}</span>
      </dt>
      <dd className="mt-1 flex items-center gap-3">
        <span className="h-1.5 flex-1 overflow-hidden rounded-full bg-line" aria-hidden="true">
          <span className={`block h-full rounded-full ${colour}`} style={{ width: `${share * 100}%` }} />
        </span>
        <span className="num w-24 text-right font-semibold">{props.shown}</span>
      </dd>
    </div>
  );
}

function verdictOf(scan: Decided | null, guard: string): Verdict | undefined {
  return scan?.verdicts.find((verdict) => verdict.guard === guard);
}

function Breaker(props: { status: Status; scan: Decided | null }): ReactNode {
  const { t, sentence } = useSaid();
  const { data } = useSettings();
  const { status } = props;
  const limit = (name: string): number => limitAt(data, `risk.circuit_breaker.${name}`);
  const said = new Map(figuresOf(verdictOf(props.scan, "not_tripped") ?? { ok: true, guard: "", reason: "", instrument: null, figures: [] }));
  const opens = Number(said.get("opens_today") ?? status.rounds_today);
  const loss = Math.max(0, -Number(status.day_pnl));
  return (
    <Card
      id="breaker"
      title={t("risk.breaker")}
      aside={status.breaker ? <Badge tone="bad">{t("risk.breaker_open", { reason: sentence(status.breaker) })}</Badge> : <Badge tone="good">{t("risk.breaker_closed")}</Badge>}
    >
      <dl className="space-y-4">
        <Use
          label={t("risk.losing")}
          shown={plain(status.losing_rounds)}
          used={status.losing_rounds / limit("losing_rounds")}
          limit={plain(limit("losing_rounds"))}
        />
        <Use
          label={t("risk.day_loss")}
          shown={usdt(loss)}
          used={loss / limit("daily_loss_limit")}
          limit={`${usdt(limit("daily_loss_limit"))} USDT`}
        />
        <Use label={t("risk.opens")} shown={plain(opens)} used={opens / limit("max_opens_per_day")} limit={plain(limit("max_opens_per_day"))} />
      </dl>
    </Card>
  );
}

function Venue(props: { status: Status; scan: Decided | null }): ReactNode {
  const { t, isZh } = useSaid();
  const { data } = useSettings();
  const { status, scan } = props;
  const verdict = verdictOf(scan, "venue_up");
  const figures = new Map<string, FigureValue>(verdict ? figuresOf(verdict) : []);
  const most = limitAt(data, "risk.degradation.max_rate_use_ratio");
  const show = (name: string): string => figure(name, figures.get(name) ?? "", isZh);
  return (
    <Card
      id="venue"
      title={t("risk.venue")}
      note={scan ? t("risk.venue_note", { at: shortUtc(scan.at_ms) }) : undefined}
      aside={verdict ? <Badge tone={verdict.ok ? "good" : "bad"}>{t(verdict.ok ? "risk.fine" : "risk.down")}</Badge> : null}
    >
      <dl className="grid grid-cols-2 gap-x-4 gap-y-4 sm:grid-cols-3">
        <Fact label={t("risk.latency")} value={show("latency_ms")} note={t("risk.limit", { limit: `${plain(limitAt(data, "risk.exchange.max_latency_ms"))} ms` })} />
        <Fact label={t("risk.errors")} value={show("errors_1m")} note={t("risk.limit", { limit: plain(limitAt(data, "risk.exchange.max_errors_per_minute")) })} />
        <Fact label={t("risk.rejects")} value={show("rejects_1m")} note={t("risk.limit", { limit: plain(limitAt(data, "risk.exchange.max_rejects_per_minute")) })} />
        <Fact label={t("risk.clock")} value={show("clock_offset_ms")} note={t("risk.limit", { limit: `${plain(limitAt(data, "risk.exchange.max_clock_offset_ms"))} ms` })} />
        <Fact label={t("risk.unresolved")} value={show("unresolved_orders")} />
        <Fact
          label={t("risk.rate_use")}
          value={percent(status.rate_use_ratio, 0)}
          note={t("risk.limit", { limit: percent(most, 0) })}
          tone={Number(status.rate_use_ratio) > most ? "warn" : "plain"}
        />
        <Fact label={t("risk.loop")} value={`${plain(status.loop_lag_ms)} ms`} tone={status.loop_lag_ms > 1000 ? "warn" : "plain"} />
      </dl>
    </Card>
  );
}

function Streams(props: { status: Status }): ReactNode {
  const { t, w, isZh } = useSaid();
  return (
    <Card id="streams" title={t("risk.streams")} flush>
      <Table
        caption={t("risk.streams")}
        rows={props.status.streams}
        rowKey={(row) => row.name}
        columns={[
          { key: "name", head: t("risk.stream"), cell: (row) => <span className="font-medium">{w(row.name)}</span> },
          {
            key: "live",
            head: t("overview.state"),
            cell: (row) => (
              <Badge tone={row.live ? "good" : "bad"} dot>
                {t(row.live ? "risk.live" : "risk.down")}
              </Badge>
            ),
          },
          { key: "age", head: t("risk.age"), right: true, cell: (row) => t("ago", { span: span(row.age_ms, isZh) }) },
          { key: "again", head: t("risk.reconnects"), right: true, from: "sm", cell: (row) => row.reconnects },
        ]}
      />
    </Card>
  );
}

function Tasks(props: { status: Status }): ReactNode {
  const { t, w, isZh } = useSaid();
  return (
    <Card id="tasks" title={t("risk.tasks")} flush>
      <Table
        caption={t("risk.tasks")}
        rows={props.status.tasks}
        rowKey={(row) => row.name}
        columns={[
          { key: "name", head: t("risk.task"), cell: (row) => <span className="font-medium">{w(row.name)}</span> },
          {
            key: "state",
            head: t("overview.state"),
            cell: (row) => (
              <Badge tone={row.dead ? "bad" : row.stuck ? "warn" : "good"} dot>
                {t(row.dead ? "risk.dead" : row.stuck ? "risk.stuck" : "risk.fine")}
              </Badge>
            ),
          },
          { key: "age", head: t("risk.busy"), right: true, cell: (row) => (row.age_ms > 0 ? t("for", { span: span(row.age_ms, isZh) }) : t("risk.idle")) },
        ]}
      />
    </Card>
  );
}
