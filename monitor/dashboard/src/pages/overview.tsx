import type { ReactNode } from "react";
import { closeOf, RESUME } from "../actions/commands";
import { useControls } from "../actions/dialogs";
import type { Decided, HedgeLine, Machine, Status } from "../api/types";
import { MachinePicture } from "../charts/machine";
import { MarginGauge } from "../charts/margin";
import { ABSENT, coins, percent, rate, signOf, signed, span, usdt } from "../format";
import { useSaid } from "../i18n";
import { useAsk } from "../state/ask";
import { useNow, useStatus } from "../state/engine";
import { go } from "../state/route";
import { limitAt, useSettings } from "../state/settings";
import { Amount, Badge, Button, Card, Empty, Fact, Loading, Trouble, type Tone } from "../ui/basic";
import { Icon } from "../ui/icon";
import { Causes } from "./causes";
import { LEVEL_TONE, Moment, Move } from "./words";

export function Overview(): ReactNode {
  const status = useStatus();
  return (
    <div className="space-y-5">
      <Health status={status} />
      <Figures status={status} />
      <div className="grid gap-5 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <div className="min-w-0 space-y-5">
          <Hedges status={status} />
          <MachineCard status={status} />
        </div>
        <div className="min-w-0 space-y-5">
          <MarginCard status={status} />
          <Settlements status={status} />
          <Moves status={status} />
        </div>
      </div>
    </div>
  );
}

/** One line that says whether all is well, and what is not. */
function Health(props: { status: Status }): ReactNode {
  const { t, w } = useSaid();
  const { status } = props;
  const { warnings } = status;
  const controls = useControls();
  const lowered = status.permission !== "FULL";
  const stopped = status.state === "STOPPED";
  if (warnings.length === 0 && !lowered && !stopped) {
    return (
      <p className="flex items-center gap-2.5 rounded-xl bg-good-soft px-4 py-3 text-good" role="status">
        <Icon name="check" />
        <span className="font-semibold">{t("overview.well")}</span>
      </p>
    );
  }
  const worst = warnings.some((one) => one.level === "critical") || status.permission === "HALTED" || stopped;
  return (
    <section
      className={`rounded-xl border px-4 py-3 ${worst ? "border-bad/40 bg-bad-soft" : "border-warn/40 bg-warn-soft"}`}
      role="status"
      aria-live="polite"
    >
      {stopped ? (
        <div className={`flex flex-wrap items-center justify-between gap-3 ${warnings.length > 0 || lowered ? "mb-3 border-b border-current/15 pb-3" : ""}`}>
          <div className="min-w-0">
            <h2 className="flex items-center gap-2.5 font-semibold text-bad">
              <Icon name="stop" />
              {t("overview.stopped")}
            </h2>
            <p className="mt-0.5 text-soft">
              <Moment atMs={status.state_since_ms} age />
              <StopReason status={status} />
            </p>
          </div>
          <Button small icon="play" onClick={() => controls.command(RESUME)}>
            {t("act.resume")}
          </Button>
        </div>
      ) : null}
      {warnings.length > 0 ? (
        <>
          <h2 className={`flex items-center gap-2.5 font-semibold ${worst ? "text-bad" : "text-warn"}`}>
            <Icon name="warn" />
            {warnings.length === 1 ? t("overview.warning_one") : t("overview.warnings", { n: warnings.length })}
          </h2>
          <ul className="mt-2 space-y-1.5">
            {warnings.map((one) => (
              <li key={`${one.name} ${one.text}`} className="flex flex-wrap items-baseline gap-x-2.5">
                <Badge tone={LEVEL_TONE[one.level]}>{w(one.name)}</Badge>
                <span className="min-w-0 break-words">{one.text}</span>
                <span className="text-xs text-soft">
                  <Moment atMs={one.since_ms} age />
                </span>
              </li>
            ))}
          </ul>
        </>
      ) : null}
      {lowered ? (
        <div className={warnings.length > 0 ? "mt-3 border-t border-current/15 pt-3" : ""}>
          <h2 className="font-semibold">
            {t("overview.permission")}: {w(status.permission)}
          </h2>
          <Causes causes={status.causes} />
        </div>
      ) : null}
    </section>
  );
}

/** Why it stopped; after an unwind that is why the unwind was begun. */
function StopReason(props: { status: Status }): ReactNode {
  const { sentence } = useSaid();
  const [last, before] = useMoves(props.status) ?? [];
  if (last?.dst !== "STOPPED") return null;
  const begun = last.on === "rebalanced" && (before?.on === "halt" || before?.on === "breach");
  const why = (begun ? before.reason : last.reason) || last.reason;
  return why ? <> · {sentence(why)}</> : null;
}

function toneOf(value: string): Tone {
  const sign = signOf(value);
  return sign > 0 ? "good" : sign < 0 ? "bad" : "plain";
}

function Figures(props: { status: Status }): ReactNode {
  const { t } = useSaid();
  const { status } = props;
  return (
    <Card>
      <dl className="grid grid-cols-2 gap-x-4 gap-y-5 lg:grid-cols-4">
        <Fact large label={t("overview.equity")} value={usdt(status.equity)} unit="USDT" />
        <Fact large label={t("overview.day")} value={signed(status.day_pnl)} unit="USDT" tone={toneOf(status.day_pnl)} />
        <Fact
          large
          label={t("overview.funding")}
          value={signed(status.totals.funding)}
          unit="USDT"
          tone={toneOf(status.totals.funding)}
          note={`${t("overview.payments", { n: status.totals.settlements })} · ${t("overview.fees", { fees: usdt(status.totals.fees) })}`}
        />
        <Fact
          large
          label={t("overview.unrealised")}
          value={signed(status.unrealised_pnl)}
          unit="USDT"
          tone={toneOf(status.unrealised_pnl)}
          note={t("overview.held_note")}
        />
      </dl>
    </Card>
  );
}

function Hedges(props: { status: Status }): ReactNode {
  const { t } = useSaid();
  const { hedges } = props.status;
  return (
    <Card id="hedges" title={t("overview.hedges")} flush>
      {hedges.length === 0 ? (
        <Empty title={t("overview.no_hedges")}>
          <p>{t("overview.no_hedges_note")}</p>
          <div className="mt-3">
            <Button small icon="arrow" onClick={() => go("/candidates")}>
              {t("overview.why_not")}
            </Button>
          </div>
        </Empty>
      ) : (
        <ul className="divide-y divide-line border-t border-line">
          {hedges.map((hedge) => (
            <HedgeItem key={hedge.instrument} hedge={hedge} status={props.status} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function HedgeItem(props: { hedge: HedgeLine; status: Status }): ReactNode {
  const said = useSaid();
  const { t, isZh } = said;
  const { hedge, status } = props;
  const now = useNow();
  const controls = useControls();
  const coin = hedge.instrument.split("-")[0] ?? hedge.instrument;
  const next = status.settlements.find((line) => line.instrument === hedge.instrument);
  return (
    <li className="px-5 py-4">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h3 className="text-base font-semibold tracking-tight">{hedge.instrument}</h3>
        <div className="flex items-center gap-3">
          <span className="text-xs text-faint">
            {t("hedge.held")} {span(now - hedge.opened_ms, isZh)} · {t("hedge.settled", { n: hedge.settlements })}
          </span>
          <Button small kind="quiet" icon="exit" onClick={() => controls.command(closeOf(hedge.instrument))}>
            {t("hedge.close")}
            <span className="sr-only"> {hedge.instrument}</span>
          </Button>
        </div>
      </div>
      <dl className="mt-3 grid grid-cols-2 gap-x-4 gap-y-4 sm:grid-cols-3">
        <Fact label={t("hedge.spot")} value={coins(hedge.spot_base)} unit={coin} />
        <Fact
          label={t("hedge.short")}
          value={coins(hedge.contracts)}
          note={`${usdt(hedge.notional)} USDT`}
          unit={t("hedge.contracts", { n: "" }).trim()}
        />
        <Fact
          label={t("hedge.delta")}
          value={coins(hedge.net_delta, 6)}
          unit={coin}
          note={t("hedge.drift", { drift: percent(hedge.drift_ratio) })}
        />
        <Fact label={t("hedge.funding")} value={<Amount value={hedge.funding} />} unit="USDT" />
        <Fact label={t("hedge.pnl")} value={<Amount value={hedge.pnl} />} unit="USDT" />
        <Fact
          label={t("hedge.next")}
          value={next ? span(next.at_ms - now, isZh) : ABSENT}
          note={next ? `${rate(next.rate)} · ${signed(next.expected)} USDT` : undefined}
        />
      </dl>
    </li>
  );
}

/** The newest moves, so many that the last one can be drawn. */
function useMoves(status: Status): Decided[] | null {
  const asked = useAsk<Decided[]>("/api/decisions?moved=true&most=30", `${status.state} ${status.state_since_ms} ${status.totals.orders}`);
  return asked.data?.filter((one) => one.src !== one.dst) ?? null;
}

function MachineCard(props: { status: Status }): ReactNode {
  const { t } = useSaid();
  const { status } = props;
  const machine = useAsk<Machine>("/api/machine");
  const moves = useMoves(status);
  const last = moves?.[0] ?? null;
  return (
    <Card id="machine" title={t("overview.machine")} note={t("overview.machine_note")}>
      <MachinePicture machine={machine.data} state={status.state} last={last} />
      {machine.problem ? <Trouble problem={machine.problem} path="/api/machine" /> : null}
    </Card>
  );
}

function MarginCard(props: { status: Status }): ReactNode {
  const { t } = useSaid();
  return (
    <Card id="margin" title={t("overview.margin")} note={t("overview.margin_note")}>
      <Margin ratio={props.status.margin_ratio} />
    </Card>
  );
}

export function Margin(props: { ratio: string | null }): ReactNode {
  const { data, problem } = useSettings();
  if (data === null) {
    return (
      <>
        <p className="num text-2xl font-semibold">{percent(props.ratio, 1)}</p>
        {problem === null ? <Loading /> : null}
      </>
    );
  }
  const limit = (name: string): number => limitAt(data, `risk.margin.${name}`);
  return (
    <MarginGauge
      ratio={props.ratio}
      limits={{
        emergency: limit("emergency_below"),
        rebalance: limit("rebalance_below"),
        target: limit("target"),
        sweep: limit("sweep_above"),
      }}
    />
  );
}

function Settlements(props: { status: Status }): ReactNode {
  const { t, isZh } = useSaid();
  const now = useNow();
  const lines = props.status.settlements.slice(0, 6);
  if (lines.length === 0) return null;
  return (
    <Card id="next" title={t("overview.next")} flush>
      <ul className="divide-y divide-line border-t border-line">
        {lines.map((line) => (
          <li key={line.instrument} className="flex items-center justify-between gap-3 px-5 py-3">
            <div className="min-w-0">
              <p className="font-medium">{line.instrument}</p>
              <p className="text-xs text-faint tabular-nums">
                {t("overview.rate", { rate: rate(line.rate) })}
                {line.expected !== null ? ` · ${t("overview.expected", { amount: signed(line.expected) })}` : ""}
              </p>
            </div>
            <p className="num text-lg font-semibold tracking-tight" title={String(line.at_ms)}>
              {span(line.at_ms - now, isZh)}
            </p>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Moves(props: { status: Status }): ReactNode {
  const { t, w } = useSaid();
  const moves = useMoves(props.status);
  return (
    <Card
      id="moves"
      title={t("overview.moves")}
      flush
      aside={
        <Button small kind="quiet" icon="arrow" onClick={() => go("/decisions")}>
          {t("nav.decisions")}
        </Button>
      }
    >
      {moves === null ? (
        <Loading />
      ) : moves.length === 0 ? (
        <Empty title={t("overview.no_moves")} />
      ) : (
        <ol className="divide-y divide-line border-t border-line">
          {moves.slice(0, 6).map((one) => (
            <li key={one.seq} className="flex flex-wrap items-center justify-between gap-x-3 gap-y-1 px-5 py-2.5">
              <span className="flex items-center gap-2">
                <span className="font-medium">{w(one.on)}</span>
                {one.instrument ? <span className="text-xs text-faint">{one.instrument}</span> : null}
              </span>
              <Move src={one.src} dst={one.dst} />
              <span className="w-full text-xs text-faint">
                <Moment atMs={one.at_ms} age />
              </span>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}
