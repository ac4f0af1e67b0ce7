import type { ReactNode } from "react";
import { withQuery } from "../api/client";
import type { JournalRow } from "../api/types";
import { plain } from "../format";
import { useSaid } from "../i18n";
import { useAsk } from "../state/ask";
import { Card, Empty, Loading, Trouble } from "../ui/basic";
import { Table } from "../ui/table";
import { Moment } from "./words";

const PATH = withQuery("/api/journal", { kind: "note", find: '"what":"refused"', most: 10 });

/** Who was turned away at the door, as the journal has it: counted by address and reason. */
export function Refusals(props: { news: unknown }): ReactNode {
  const { t, w } = useSaid();
  const asked = useAsk<JournalRow[]>(PATH, props.news);
  const text = (row: JournalRow, name: string): string => String(row.body[name] ?? "");
  return (
    <Card id="refusals" className="xl:col-span-2" title={t("risk.refusals")} note={t("risk.refusals_note")} flush>
      {asked.data === null ? (
        asked.problem ? <Trouble problem={asked.problem} path={PATH} /> : <Loading />
      ) : asked.data.length === 0 ? (
        <Empty title={t("risk.no_refusals")} />
      ) : (
        <Table
          caption={t("risk.refusals")}
          rows={asked.data}
          rowKey={(row) => row.seq}
          columns={[
            { key: "at", head: t("risk.when"), cell: (row) => <Moment atMs={row.at_ms} /> },
            { key: "why", head: t("risk.why"), wrap: true, cell: (row) => <span className="font-medium">{w(text(row, "error"))}</span> },
            { key: "from", head: t("risk.address"), cell: (row) => <span className="font-mono text-xs">{text(row, "address") || t("risk.various")}</span> },
            { key: "count", head: t("risk.times"), right: true, cell: (row) => plain(text(row, "count")) },
            {
              key: "what",
              head: t("risk.asked"),
              from: "md",
              wrap: true,
              cell: (row) => <span className="font-mono text-xs break-words text-soft">{text(row, "detail")}</span>,
            },
          ]}
        />
      )}
    </Card>
  );
}
