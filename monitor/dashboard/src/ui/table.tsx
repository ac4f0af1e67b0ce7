import type { ReactNode } from "react";

export interface Column<T> {
  key: string;
  head: ReactNode;
  cell: (row: T) => ReactNode;
  right?: boolean;
  /** Left out where there is little room: the first is shown everywhere. */
  from?: "sm" | "md" | "lg" | "xl";
  wrap?: boolean;
}

const FROM = {
  sm: "hidden sm:table-cell",
  md: "hidden md:table-cell",
  lg: "hidden lg:table-cell",
  xl: "hidden xl:table-cell",
} as const;

export function Table<T>(props: {
  caption: string;
  columns: Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string | number;
  /** A line under a row, over its whole width; `narrow` only where columns had to go. */
  below?: (row: T) => { content: ReactNode; narrow?: boolean } | null;
}): ReactNode {
  const look = (column: Column<T>): string =>
    `${column.right ? "text-right" : "text-left"} ${column.from ? FROM[column.from] : ""}`;
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={props.caption}>
      <table className="w-full border-collapse text-sm">
        <caption className="sr-only">{props.caption}</caption>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                className={`border-b border-line px-3 py-2 text-xs font-medium whitespace-nowrap text-faint first:pl-5 last:pr-5 ${look(column)}`}
              >
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        {props.rows.map((row) => {
          const below = props.below?.(row);
          return (
            <tbody key={props.rowKey(row)} className="border-b border-line last:border-b-0">
              <tr>
                {props.columns.map((column) => (
                  <td
                    key={column.key}
                    className={`px-3 py-2.5 align-top first:pl-5 last:pr-5 ${column.wrap ? "" : "whitespace-nowrap"} ${look(column)}`}
                  >
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
              {below ? (
                <tr className={below.narrow ? "sm:hidden" : ""}>
                  <td colSpan={props.columns.length} className="px-5 pb-4">
                    {below.content}
                  </td>
                </tr>
              ) : null}
            </tbody>
          );
        })}
      </table>
    </div>
  );
}
