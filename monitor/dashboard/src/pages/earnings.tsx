import { useMemo, type ReactNode } from "react";
import type { Closed, Funding, Num, Performance } from "../api/types";
import { StackedBars, type Bar } from "../charts/bars";
import { LineChart } from "../charts/line";
import { netOf, Waterfall } from "../charts/waterfall";
import { day, percent, rate, shortUtc, signed, signOf, span, toNumber, usdt } from "../format";
import { useSaid } from "../i18n";
import { useAsk } from "../state/ask";
import { useStatus } from "../state/engine";
import { Amount, Badge, Card, Empty, Fact, Loading, Trouble } from "../ui/basic";
import { Table } from "../ui/table";

const MOST_DAYS = 45;
const MOST_SERIES = 5;

export function Earnings(props: { theme: string }): ReactNode {
  const { totals, state, now_ms } = useStatus();
  const hour = Math.floor(now_ms / 3_600_000); // the equity curve has a point an hour
  const news = `${hour} ${totals.settlements} ${totals.closes} ${state}`;
  const earned = useAsk<Performance>("/api/performance", news);
  const funding = useAsk<Funding>("/api/funding", totals.settlements);
  if (earned.data === null) {
    return <Card>{earned.problem ? <Trouble problem={earned.problem} path="/api/performance" /> : <Loading />}</Card>;
  }
  return (
    <div className="space-y-5">
      <Summary earned={earned.data} />
      <Curve earned={earned.data} theme={props.theme} />
      <div className="grid gap-5 xl:grid-cols-2">
        <FromWhat earned={earned.data} />
        <FundingByDay asked={funding.data} />
      </div>
      {funding.problem ? <Trouble problem={funding.problem} path="/api/funding" /> : null}
      <ByInstrument earned={earned.data} />
      <Rounds rounds={earned.data.rounds} />
      <Payments funding={funding.data} />
    </div>
  );
}

function Summary(props: { earned: Performance }): ReactNode {
  const { t } = useSaid();
  const { earned } = props;
  const sign = signOf(earned.net);
  return (
    <Card>
      <dl className="grid grid-cols-2 gap-x-4 gap-y-5 lg:grid-cols-4">
        <Fact
          large
          label={t("earnings.net")}
          value={signed(earned.net)}
          unit="USDT"
          tone={sign > 0 ? "good" : sign < 0 ? "bad" : "plain"}
        />
        <Fact large label={t("earnings.apr")} value={percent(earned.net_apr)} note={t("earnings.apr_note")} />
        <Fact large label={t("earnings.drawdown")} value={percent(earned.max_drawdown)} />
        <Fact
          large
          label={t("earnings.win")}
          value={percent(earned.win_rate, 0)}
          note={earned.win_rate === null ? t("earnings.win_none") : undefined}
        />
      </dl>
    </Card>
  );
}

function Curve(props: { earned: Performance; theme: string }): ReactNode {
  const { t } = useSaid();
  const { equity } = props.earned;
  const times = useMemo(() => equity.map((point) => point.ts_ms / 1000), [equity]);
  const values = useMemo(() => equity.map((point) => Number(point.equity)), [equity]);
  const [first, last] = [equity[0], equity.at(-1)];
  return (
    <Card id="equity" title={t("earnings.equity")} note={t("earnings.equity_note")}>
      {first === undefined || last === undefined ? (
        <Empty title={t("earnings.nothing")} />
      ) : (
        <LineChart
          theme={props.theme}
          name="USDT"
          times={times}
          values={values}
          label={t("earnings.equity_label", {
            from: day(first.ts_ms),
            to: day(last.ts_ms),
            first: usdt(first.equity),
            last: usdt(last.equity),
          })}
        />
      )}
    </Card>
  );
}

function FromWhat(props: { earned: Performance }): ReactNode {
  const { t } = useSaid();
  return (
    <Card id="terms" title={t("earnings.waterfall")} note={t("earnings.waterfall_note")}>
      <Waterfall terms={props.earned.terms} />
    </Card>
  );
}

/** Bars by day; the parts by instrument as far back as payments are told one by one. */
function barsOf(funding: Funding, older: string): { bars: Bar[]; series: string[] } {
  const ranked = Object.entries(funding.by_instrument)
    .sort(([, a], [, b]) => Math.abs(toNumber(b)) - Math.abs(toNumber(a)))
    .map(([name]) => name);
  const own = ranked.slice(0, MOST_SERIES);
  const byDay = new Map<string, Map<string, number>>();
  for (const paid of funding.payments) {
    const name = day(paid.ts_ms);
    const parts = byDay.get(name) ?? new Map<string, number>();
    const series = own.includes(paid.instrument) ? paid.instrument : older;
    parts.set(series, (parts.get(series) ?? 0) + toNumber(paid.amount));
    byDay.set(name, parts);
  }
  const used = new Set<string>();
  const bars = Object.entries(funding.by_day)
    .sort(([a], [b]) => a.localeCompare(b))
    .slice(-MOST_DAYS)
    .map(([name, total]) => {
      const parts = new Map(byDay.get(name) ?? []);
      const rest = toNumber(total) - [...parts.values()].reduce((sum, value) => sum + value, 0);
      if (Math.abs(rest) >= 0.005) parts.set(older, (parts.get(older) ?? 0) + rest);
      for (const series of parts.keys()) used.add(series);
      return { name, parts: [...parts].map(([series, value]) => ({ series, value })) };
    });
  return { bars, series: [...own, older].filter((series) => used.has(series)) };
}

function FundingByDay(props: { asked: Funding | null }): ReactNode {
  const { t } = useSaid();
  const { bars, series } = props.asked ? barsOf(props.asked, t("earnings.older")) : { bars: [], series: [] };
  return (
    <Card id="funding" title={t("earnings.funding")} note={t("earnings.funding_note")}>
      {bars.length === 0 ? (
        <Empty title={t("earnings.no_payments")} />
      ) : (
        <StackedBars
          bars={bars}
          series={series}
          label={`${t("earnings.funding")}: ${bars
            .slice(-7)
            .map((bar) => `${bar.name} ${signed(bar.parts.reduce((sum, part) => sum + part.value, 0))}`)
            .join(", ")}`}
        />
      )}
    </Card>
  );
}

function ByInstrument(props: { earned: Performance }): ReactNode {
  const { t } = useSaid();
  const rows = Object.entries(props.earned.by_instrument).map(([name, terms]) => ({ name, terms }));
  if (rows.length === 0) return null;
  return (
    <Card id="by-instrument" title={t("earnings.by_instrument")} flush>
      <Table
        caption={t("earnings.by_instrument")}
        rows={rows}
        rowKey={(row) => row.name}
        columns={[
          {
            key: "name",
            head: t("instrument"),
            cell: (row) => <span className="font-medium">{row.name === "account" ? t("term.account") : row.name}</span>,
          },
          { key: "funding", head: t("term.funding"), right: true, cell: (row) => <Amount value={row.terms.funding} /> },
          { key: "basis", head: t("term.basis"), right: true, from: "sm", cell: (row) => <Amount value={row.terms.basis} /> },
          { key: "fees", head: t("term.fees"), right: true, from: "sm", cell: (row) => paid(row.terms.fees) },
          { key: "slippage", head: t("term.slippage"), right: true, from: "md", cell: (row) => paid(row.terms.slippage) },
          { key: "interest", head: t("term.interest"), right: true, from: "lg", cell: (row) => paid(row.terms.interest) },
          { key: "other", head: t("term.other"), right: true, from: "lg", cell: (row) => usdt(row.terms.other) },
          {
            key: "net",
            head: t("term.net"),
            right: true,
            cell: (row) => <Amount value={netOf(row.terms)} className="font-semibold" />,
          },
        ]}
      />
    </Card>
  );
}

/** A cost with the sign it has for the purse, so that a line adds up to its net. */
function paid(cost: Num): string {
  return signed(0 - Number(cost));
}

function Rounds(props: { rounds: Closed[] }): ReactNode {
  const { t, sentence, isZh } = useSaid();
  return (
    <Card id="rounds" title={t("earnings.rounds")} flush>
      {props.rounds.length === 0 ? (
        <Empty title={t("earnings.no_rounds")} />
      ) : (
        <Table
          caption={t("earnings.rounds")}
          rows={props.rounds}
          rowKey={(row) => row.hedge_id}
          columns={[
            { key: "instrument", head: t("instrument"), cell: (row) => <span className="font-medium">{row.instrument}</span> },
            { key: "opened", head: t("earnings.opened"), from: "lg", cell: (row) => shortUtc(row.opened_ms) },
            { key: "closed", head: t("earnings.closed"), from: "sm", cell: (row) => shortUtc(row.closed_ms) },
            { key: "held", head: t("hedge.held"), from: "md", cell: (row) => span(row.closed_ms - row.opened_ms, isZh) },
            { key: "notional", head: t("hedge.notional"), right: true, from: "md", cell: (row) => usdt(row.notional) },
            { key: "funding", head: t("term.funding"), right: true, from: "lg", cell: (row) => <Amount value={row.terms.funding} /> },
            {
              key: "reason",
              head: t("earnings.reason"),
              from: "sm",
              wrap: true,
              cell: (row) => (
                <span className="text-soft">
                  {sentence(row.reason)} {row.forced ? <Badge tone="bad">{t("earnings.forced")}</Badge> : null}
                </span>
              ),
            },
            { key: "net", head: t("term.net"), right: true, cell: (row) => <Amount value={row.net} className="font-semibold" /> },
          ]}
        />
      )}
    </Card>
  );
}

function Payments(props: { funding: Funding | null }): ReactNode {
  const { t } = useSaid();
  const payments = props.funding?.payments ?? [];
  if (payments.length === 0) return null;
  return (
    <Card id="payments" title={t("earnings.payments")} flush>
      <div className="max-h-96 overflow-y-auto">
        <Table
          caption={t("earnings.payments")}
          rows={payments.slice(0, 100)}
          rowKey={(row) => `${row.ts_ms} ${row.instrument}`}
          columns={[
            { key: "time", head: t("time"), cell: (row) => shortUtc(row.ts_ms) },
            { key: "instrument", head: t("instrument"), cell: (row) => row.instrument },
            { key: "rate", head: t("earnings.rate"), right: true, from: "sm", cell: (row) => rate(row.rate) },
            { key: "amount", head: t("earnings.amount"), right: true, cell: (row) => <Amount value={row.amount} /> },
          ]}
        />
      </div>
    </Card>
  );
}
