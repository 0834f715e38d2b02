import { lazy, Suspense, useState } from "react";
import { useT } from "../lib/i18n";
import { Button } from "./button";
import type { ChartProps } from "./chart";
import { Figures } from "./chart-table";
import { Skeleton } from "./states";

const Drawn = lazy(() => import("./chart"));

/** Chart draws series over time, or shows their figures as a table. What draws is loaded when it is wanted. */
export function Chart(props: ChartProps) {
  const t = useT();
  const [table, setTable] = useState(false);
  return (
    <figure className="m-0 min-w-0">
      <figcaption className="sr-only">{props.label}</figcaption>
      {table ? (
        <Figures {...props} />
      ) : (
        <Suspense fallback={<Skeleton className="h-[19rem] w-full" />}>
          <Drawn {...props} />
        </Suspense>
      )}
      <div className="mt-2 flex justify-end">
        <Button look="quiet" small aria-pressed={table} onClick={() => setTable(!table)}>
          {table ? t("chart.chart") : t("chart.table")}
        </Button>
      </div>
    </figure>
  );
}
