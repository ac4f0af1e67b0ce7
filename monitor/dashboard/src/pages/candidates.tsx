import { useState, type ReactNode } from "react";
import { SCAN } from "../actions/commands";
import { useControls } from "../actions/dialogs";
import { withQuery } from "../api/client";
import type { CandidateLine, Decided } from "../api/types";
import { ABSENT, bps, figure, rate, shortUtc, span } from "../format";
import { useSaid } from "../i18n";
import { useAsk } from "../state/ask";
import { useNow, useStatus } from "../state/engine";
import { Badge, Button, Card, Empty, Loading, Trouble } from "../ui/basic";
import { Icon } from "../ui/icon";
import { Table } from "../ui/table";
import { measured, Verdicts } from "../ui/verdict";

export function Candidates(): ReactNode {
  const { t, isZh } = useSaid();
  const status = useStatus();
  const now = useNow();
  const controls = useControls();
  const [open, setOpen] = useState<string | null>(null);
  const held = new Set(status.hedges.map((hedge) => hedge.instrument));
  const next = new Map(status.settlements.map((line) => [line.instrument, line.at_ms]));
  return (
    <Card
      id="candidates"
      title={t("nav.candidates")}
      flush
      aside={
        <Button small icon="scan" onClick={() => controls.command(SCAN)}>
          {t("candidates.scan")}
        </Button>
      }
    >
      {status.candidates.length === 0 ? (
        <Empty title={t("candidates.none")} />
      ) : (
        <Table
          caption={t("nav.candidates")}
          rows={status.candidates}
          rowKey={(row) => row.instrument}
          columns={[
            { key: "instrument", head: t("instrument"), cell: (row) => <span className="font-semibold">{row.instrument}</span> },
            { key: "rate", head: t("candidates.rate"), right: true, cell: (row) => <span className="num">{rate(row.rate)}</span> },
            { key: "basis", head: t("candidates.basis"), right: true, from: "md", cell: (row) => bps(row.basis_bps) },
            {
              key: "next",
              head: t("candidates.next"),
              right: true,
              from: "sm",
              cell: (row) => {
                const atMs = next.get(row.instrument);
                return atMs === undefined ? ABSENT : span(atMs - now, isZh);
              },
            },
            {
              key: "verdict",
              head: t("candidates.verdict"),
              wrap: true,
              from: "sm",
              cell: (row) => <WhyNot row={row} held={held.has(row.instrument)} />,
            },
            {
              key: "more",
              head: <span className="sr-only">{t("candidates.details")}</span>,
              right: true,
              cell: (row) => (
                <Button
                  small
                  kind="quiet"
                  className="-my-1.5"
                  aria-expanded={open === row.instrument}
                  onClick={() => setOpen(open === row.instrument ? null : row.instrument)}
                >
                  <span className="sr-only sm:not-sr-only">{t("candidates.details")}</span>
                  <span className="sr-only"> {row.instrument}</span>
                  <Icon name="down" size={14} className={open === row.instrument ? "rotate-180" : ""} />
                </Button>
              ),
            },
          ]}
          below={(row) => ({
            narrow: open !== row.instrument,
            content: (
              <>
                <div className="sm:hidden">
                  <WhyNot row={row} held={held.has(row.instrument)} />
                </div>
                {open === row.instrument ? <Answers instrument={row.instrument} scans={status.totals.scans} /> : null}
              </>
            ),
          })}
        />
      )}
    </Card>
  );
}

function WhyNot(props: { row: CandidateLine; held: boolean }): ReactNode {
  const said = useSaid();
  const { refusal } = props.row;
  if (refusal === null) {
    return (
      <span className="inline-flex items-center gap-2 font-medium text-good">
        <Icon name="check" size={16} />
        {said.t("candidates.pays")}
      </span>
    );
  }
  if (props.held && refusal.guard === "not_held") return <Badge tone="good">{said.t("candidates.held")}</Badge>;
  const broken = measured(refusal).filter((one) => one.broken);
  return (
    <span className="block min-w-48">
      <span className="font-medium">{said.guard(refusal.guard)}</span>
      <span className="text-soft">: {said.sentence(refusal.reason, refusal.guard, false)}</span>
      {broken.map((one) => (
        <span key={one.limitName} className="num mt-0.5 block text-xs text-faint">
          {said.figure(one.name)} <span className="font-medium text-bad">{figure(one.name, one.value, said.isZh)}</span>{" "}
          {one.side === "≥" ? "<" : ">"} {figure(one.limitName, one.limit, said.isZh)}
        </span>
      ))}
    </span>
  );
}

/** Everything the newest decision asked about one instrument. */
function Answers(props: { instrument: string; scans: number }): ReactNode {
  const { t } = useSaid();
  const path = withQuery("/api/decisions", { instrument: props.instrument, most: 1 });
  const asked = useAsk<Decided[]>(path, props.scans);
  const decided = asked.data?.[0];
  if (asked.problem && decided === undefined) return <Trouble problem={asked.problem} path={path} />;
  if (decided === undefined) return <Loading />;
  return (
    <div className="rounded-lg bg-sunken px-4 py-3">
      <p className="mb-2 text-xs text-faint">
        {t("candidates.every", { instrument: props.instrument })}, {t("candidates.at", { at: shortUtc(decided.at_ms) })}
      </p>
      <Verdicts verdicts={decided.verdicts} />
    </div>
  );
}
