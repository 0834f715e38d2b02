import { useI18n } from "../lib/i18n";
import type { ChartProps } from "./chart";
import { moment } from "./chart-time";
import { type Column, Table } from "./table";

type Row = ChartProps["points"][number];

/** Figures are what a chart shows, as a table; the newest first. */
export function Figures({ label, points, series, step, kind, value }: ChartProps) {
  const { t, format } = useI18n();
  const columns: Column<Row>[] = [
    {
      key: "at",
      head: t("chart.time"),
      cell: (p) => <span className="whitespace-nowrap">{moment(format, p.start, step, true)}</span>,
    },
    ...series.map((s) => ({
      key: `of ${s.key}`,
      head: s.name,
      num: true,
      cell: (p: Row) => (p.values[s.key] === undefined ? "–" : value(p.values[s.key] ?? 0)),
    })),
  ];
  if (kind === "bars" && series.length > 1)
    columns.push({
      key: "sum",
      head: t("chart.total"),
      num: true,
      cell: (p) => value(series.reduce((sum, s) => sum + (p.values[s.key] ?? 0), 0)),
    });
  return (
    <div className="max-h-80 overflow-y-auto rounded-lg border border-line">
      <Table label={label} columns={columns} rows={[...points].reverse()} id={(p) => p.start} />
    </div>
  );
}
