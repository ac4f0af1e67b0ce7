import { useState, type ReactNode } from "react";
import { get, open, Problem, withQuery } from "../api/client";
import type { JournalRow, Ordered } from "../api/types";
import { coins, plain, shortUtc } from "../format";
import { useSaid } from "../i18n";
import { useAsk } from "../state/ask";
import { useLater } from "../state/later";
import { useStatus } from "../state/engine";
import { Badge, Button, Card, Empty, Loading, Tabs, Trouble, type Tone } from "../ui/basic";
import { SelectField, TextField } from "../ui/fields";
import { Icon } from "../ui/icon";
import { Table } from "../ui/table";
import { useInstruments } from "./decisions";
import { Moment } from "./words";

const ORDER_STATES = ["intent", "accepted", "unknown", "rejected", "filled", "canceled", "absent"];
const KINDS = [
  "boot", "decision", "intent", "ack", "order", "fill", "bill", "transfer", "hedge", "ownership", "report", "permission",
  "breaker", "equity", "note", "stop",
];
const PAGE = 100;

const ORDER_TONE: Record<string, Tone> = { filled: "good", rejected: "bad", unknown: "warn", absent: "warn", accepted: "accent" };

export function JournalPage(): ReactNode {
  const { t } = useSaid();
  const [tab, setTab] = useState<"orders" | "journal">("orders");
  return (
    <div className="space-y-5">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <Tabs
          label={t("nav.journal")}
          value={tab}
          onChange={setTab}
          options={[
            { value: "orders", label: t("journal.orders") },
            { value: "journal", label: t("journal.journal") },
          ]}
        />
        <Export />
      </div>
      {tab === "orders" ? <Orders /> : <Rows />}
    </div>
  );
}

/** The whole journal as a file; a link could not show the token. */
function Export(): ReactNode {
  const { t, either } = useSaid();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const save = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      const url = URL.createObjectURL(await (await open("/api/export")).blob());
      const link = document.createElement("a");
      link.href = url;
      link.download = "journal.jsonl";
      link.click();
      URL.revokeObjectURL(url);
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, "failed", String(error)));
    }
    setBusy(false);
  };
  return (
    <div className="flex items-center gap-2">
      {problem ? <span className="text-xs text-bad">{either(problem.detail, problem.zh)}</span> : null}
      <Button small icon="save" disabled={busy} onClick={() => void save()}>
        {busy ? `${t("journal.exporting")}…` : t("journal.export")}
      </Button>
    </div>
  );
}

function InstrumentSelect(props: { value: string; onChange: (value: string) => void }): ReactNode {
  const { t } = useSaid();
  const instruments = useInstruments();
  return (
    <SelectField
      label={t("instrument")}
      value={props.value}
      onChange={props.onChange}
      options={[{ value: "", label: t("decisions.any_instrument") }, ...instruments.map((name) => ({ value: name, label: name }))]}
    />
  );
}

function OrderStatus(props: { status: string }): ReactNode {
  const { w } = useSaid();
  return <Badge tone={ORDER_TONE[props.status] ?? "plain"}>{w(props.status)}</Badge>;
}

function Orders(): ReactNode {
  const { t, w } = useSaid();
  const { totals } = useStatus();
  const [find, setFind] = useState("");
  const [status, setStatus] = useState("");
  const [instrument, setInstrument] = useState("");
  const path = withQuery("/api/orders", { most: 300, instrument, status, find: useLater(find.trim()) });
  const asked = useAsk<Ordered[]>(path, totals.orders + totals.rejects);
  return (
    <Card id="orders" title={t("journal.orders")} flush>
      <div className="grid grid-cols-1 gap-3 px-5 pb-4 sm:grid-cols-[2fr_1fr_1fr]">
        <TextField type="search" label={t("journal.find_orders")} value={find} onChange={setFind} />
        <SelectField
          label={t("journal.status")}
          value={status}
          onChange={setStatus}
          options={[{ value: "", label: t("journal.any_status") }, ...ORDER_STATES.map((name) => ({ value: name, label: w(name) }))]}
        />
        <InstrumentSelect value={instrument} onChange={setInstrument} />
      </div>
      {asked.data === null ? (
        asked.problem ? <Trouble problem={asked.problem} path={path} /> : <Loading />
      ) : asked.data.length === 0 ? (
        <Empty title={t("journal.no_orders")} />
      ) : (
        <Table
          caption={t("journal.orders")}
          rows={asked.data}
          rowKey={(row) => row.cl_id}
          columns={[
            {
              key: "what",
              head: t("instrument"),
              cell: (row) => (
                <>
                  <span className="font-medium">{row.inst_id}</span>
                  <span className="block text-xs text-faint">
                    {w(row.side)} · {w(row.purpose)}
                    {row.reduce_only ? ` · ${t("journal.reduce")}` : ""}
                  </span>
                  <span className="mt-1 block sm:hidden">
                    <OrderStatus status={row.status} />
                  </span>
                </>
              ),
            },
            { key: "time", head: t("time"), from: "sm", cell: (row) => <Moment atMs={row.at_ms} /> },
            {
              key: "size",
              head: t("journal.filled"),
              right: true,
              cell: (row) => (
                <span className="num">
                  {coins(row.filled)}
                  <span className="text-faint"> / {coins(row.size)}</span>
                </span>
              ),
            },
            {
              key: "price",
              head: t("journal.price"),
              right: true,
              from: "md",
              cell: (row) => (
                <>
                  <span className="num">{plain(row.avg_px)}</span>
                  <span className="block text-xs text-faint">{t("journal.limit", { price: plain(row.limit_px) })}</span>
                </>
              ),
            },
            { key: "status", head: t("journal.status"), from: "sm", cell: (row) => <OrderStatus status={row.status} /> },
            { key: "id", head: "id", from: "lg", cell: (row) => <span className="font-mono text-xs text-soft">{row.cl_id}</span> },
          ]}
        />
      )}
    </Card>
  );
}

function Rows(): ReactNode {
  const { t, w } = useSaid();
  const [find, setFind] = useState("");
  const [kind, setKind] = useState("");
  const [instrument, setInstrument] = useState("");
  const [opened, setOpened] = useState<number | null>(null);
  const path = withQuery("/api/journal", { most: PAGE, kind, instrument, find: useLater(find.trim()) });
  const asked = useAsk<JournalRow[]>(path);
  const [more, setMore] = useState<{ path: string; rows: JournalRow[]; problem: Problem | null }>({ path, rows: [], problem: null });
  const older = more.path === path ? more.rows : [];
  const rows = [...(asked.data ?? []), ...older];
  const askOlder = async (): Promise<void> => {
    const last = rows.at(-1);
    if (last === undefined) return;
    try {
      const found = await get<JournalRow[]>(`${path}&before_seq=${last.seq}`);
      setMore({ path, rows: [...older, ...found], problem: null });
    } catch (error) {
      setMore({ path, rows: older, problem: error instanceof Problem ? error : new Problem(0, "failed", String(error)) });
    }
  };
  return (
    <Card
      id="rows"
      title={t("journal.journal")}
      flush
      aside={
        <Button small icon="scan" onClick={() => { setMore({ path, rows: [], problem: null }); asked.again(); }}>
          {t("newer")}
        </Button>
      }
    >
      <div className="grid grid-cols-1 gap-3 px-5 pb-4 sm:grid-cols-[2fr_1fr_1fr]">
        <TextField type="search" label={t("journal.find")} value={find} onChange={setFind} />
        <SelectField
          label={t("journal.kind")}
          value={kind}
          onChange={setKind}
          options={[{ value: "", label: t("journal.any_kind") }, ...KINDS.map((name) => ({ value: name, label: w(name) }))]}
        />
        <InstrumentSelect value={instrument} onChange={setInstrument} />
      </div>
      {asked.data === null ? (
        asked.problem ? <Trouble problem={asked.problem} path={path} /> : <Loading />
      ) : rows.length === 0 ? (
        <Empty title={t("journal.no_rows")} />
      ) : (
        <ol className="divide-y divide-line border-t border-line">
          {rows.map((row) => (
            <li key={row.seq}>
              <button
                type="button"
                aria-expanded={opened === row.seq}
                onClick={() => setOpened(opened === row.seq ? null : row.seq)}
                className="flex w-full items-center gap-x-4 px-5 py-2.5 text-left hover:bg-sunken"
              >
                <Icon name="chevron" size={14} className={`text-faint transition-transform ${opened === row.seq ? "rotate-90" : ""}`} />
                <span className="num hidden w-14 text-right text-xs text-faint sm:block">{row.seq}</span>
                <span className="num w-28 shrink-0 text-soft">{shortUtc(row.at_ms)}</span>
                <span className="w-28 shrink-0 font-medium">{w(row.kind)}</span>
                <span className="hidden min-w-0 flex-1 truncate text-xs text-faint md:block">{inShort(row.body)}</span>
              </button>
              {opened === row.seq ? (
                <pre
                  tabIndex={0}
                  className="mx-5 mb-4 max-h-96 overflow-auto rounded-lg bg-sunken px-4 py-3 font-mono text-xs leading-5 break-words whitespace-pre-wrap"
                >
                  {JSON.stringify(row.body, null, 2)}
                </pre>
              ) : null}
            </li>
          ))}
        </ol>
      )}
      {more.problem ? <Trouble problem={more.problem} path={path} /> : null}
      {rows.length >= PAGE ? (
        <div className="border-t border-line px-5 py-3 text-center">
          <Button small kind="quiet" onClick={() => void askOlder()}>
            {t("older")}
          </Button>
        </div>
      ) : null}
    </Card>
  );
}

/** What a row is about, in one line: its plain values. */
function inShort(body: Record<string, unknown>): string {
  return Object.entries(body)
    .filter(([, value]) => (typeof value === "string" && value !== "") || typeof value === "number" || typeof value === "boolean")
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(" · ");
}
