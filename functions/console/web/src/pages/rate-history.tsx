import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { credits } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Card, Time } from "../ui/page";
import { Badge, Empty, Loaded, Rows } from "../ui/states";
import { type Column, Pager, Table } from "../ui/table";

type Version = Answer<"/api/admin/rates/history">["data"][number];

/** History lists what was changed about rates, by whom and why. */
export function History() {
  const { t, known, format } = useI18n();
  const [trail, setTrail] = useState<string[]>([]);
  const cursor = trail.at(-1);
  const history = useQuery({
    queryKey: ["history", cursor],
    queryFn: ({ signal }) => api.get("/api/admin/rates/history", { query: { cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
  });
  const price = (v: Version, bucket: string) =>
    v.credits_per_million[bucket] === undefined ? "–" : credits(format, v.credits_per_million[bucket]);
  const columns: Column<Version>[] = [
    { key: "at", head: t("call.at"), cell: (v) => <Time at={v.at} />, from: "sm" },
    {
      key: "model",
      head: t("call.model"),
      cell: (v) => (
        <div className="min-w-0">
          <span className="break-all">
            {v.provider}/{v.model}
          </span>
          <div className="text-sm text-ink-3">
            v{v.version} · {v.actor}
            {v.reason && ` · ${v.reason}`}
          </div>
        </div>
      ),
    },
    { key: "change", head: t("audit.action"), cell: (v) => <Badge>{known(`rate.change.${v.change}`, v.change)}</Badge> },
    { key: "input", head: t("models.input"), num: true, from: "md", cell: (v) => price(v, "input") },
    { key: "output", head: t("models.output"), num: true, from: "md", cell: (v) => price(v, "output") },
  ];
  const next = history.data?.next_cursor;
  return (
    <Card flush>
      <Loaded query={history} loading={<Rows />}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title={t("history.none")} />
          ) : (
            <Table label={t("rates.tab.history")} columns={columns} rows={data} id={(v) => `${v.id} ${v.version} ${v.at}`} />
          )
        }
      </Loaded>
      <Pager
        newer={cursor ? () => setTrail((old) => old.slice(0, -1)) : undefined}
        older={next ? () => setTrail((old) => [...old, next]) : undefined}
      />
    </Card>
  );
}
