import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useRouter } from "@tanstack/react-router";
import { type Answer, api } from "../api/client";
import { count, duration, percent, short, usd } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { sortOf } from "../lib/measure";
import { Amount, Card } from "../ui/page";
import { Empty, Loaded, Rows } from "../ui/states";
import { type Column, Pager, Table } from "../ui/table";
import { dimensions, nameOf } from "./usage-names";
import type { Asked } from "./usage-query";

type Row = Answer<"/api/usage/breakdown">["data"][number];

const size = 10;

/** narrowed is what the address holds when one looks closer at a row. */
function narrowed(asked: Asked, row: Row) {
  switch (asked.by) {
    case "model":
      return { model: row.model, provider: row.provider };
    case "user":
      return { user: row.email || row.key, everyone: undefined };
    default:
      return { [asked.by]: row.key };
  }
}

/** UsageTop lists what was used most, with its part of the whole; a row leads to its own usage. */
export function UsageTop({ asked }: { asked: Asked }) {
  const i18n = useI18n();
  const { t, tn, format } = i18n;
  const navigate = useNavigate({ from: "/usage" });
  const router = useRouter();
  const { by, measure, everyone, search, admin } = asked;
  const page = search.page ?? 1;
  const query = { ...asked.query, by, sort: sortOf(measure), page, pageSize: size };
  const top = useQuery({
    queryKey: ["usage", "breakdown", query],
    queryFn: ({ signal }) => api.get("/api/usage/breakdown", { query, signal }),
    placeholderData: keepPreviousData,
  });
  const columns: Column<Row>[] = [
    {
      key: "name",
      head: t(`usage.by.${by}`),
      className: "w-full min-w-36",
      cell: (r) => {
        const name = nameOf(i18n, by, r);
        const second = by === "user" && r.name ? r.email : undefined;
        return (
          <div>
            {r.key === "" ? (
              <span className="text-ink-2">{name}</span>
            ) : (
              <Link
                from="/usage"
                to="/usage"
                search={(old) => ({ ...old, page: undefined, ...narrowed(asked, r) })}
                className="font-medium break-all hover:underline"
              >
                {name}
              </Link>
            )}
            {second && <span className="block text-sm text-ink-3">{second}</span>}
          </div>
        );
      },
    },
    { key: "share", head: t("usage.share"), num: true, cell: (r) => <Part of={r.share} /> },
    { key: "credits", head: t("usage.measure.credits"), num: true, cell: (r) => <Amount of={r.credits} /> },
    { key: "calls", head: t("usage.measure.calls"), num: true, from: "sm", cell: (r) => count(format, r.calls) },
    {
      key: "tokens",
      head: t("usage.measure.tokens"),
      num: true,
      from: "md",
      cell: (r) => (
        <span title={count(format, r.input_tokens + r.output_tokens)}>{short(format, r.input_tokens + r.output_tokens)}</span>
      ),
    },
    {
      key: "success",
      head: t("usage.success"),
      num: true,
      from: "lg",
      cell: (r) => (r.success_rate === null ? "–" : percent(format, r.success_rate)),
    },
    {
      key: "p95",
      head: t("usage.p95"),
      num: true,
      from: "lg",
      cell: (r) => (r.duration.p95_ms === null ? "–" : duration(format, r.duration.p95_ms)),
    },
  ];
  if (admin)
    columns.push(
      { key: "cost", head: t("usage.measure.cost"), num: true, from: "xl", cell: (r) => usd(format, r.cost_usd ?? "0") },
      {
        key: "margin",
        head: t("usage.measure.margin"),
        num: true,
        from: "xl",
        cell: (r) => (r.margin_usd ? usd(format, r.margin_usd) : "–"),
      },
    );
  return (
    <Card
      flush
      title={t("usage.top")}
      action={
        <fieldset aria-label={t("usage.top")} className="flex min-w-0 gap-0.5 overflow-x-auto">
          {dimensions
            .filter((d) => d !== "user" || everyone)
            .map((d) => (
              <button
                key={d}
                type="button"
                aria-pressed={d === by}
                onClick={() => navigate({ search: (old) => ({ ...old, by: d, page: undefined }), resetScroll: false })}
                className={`min-h-8 rounded-md px-2.5 text-sm whitespace-nowrap ${d === by ? "bg-accent-soft font-medium text-accent" : "text-ink-2 hover:bg-sunken"}`}
              >
                {t(`usage.by.${d}`)}
              </button>
            ))}
        </fieldset>
      }
    >
      <Loaded query={top} loading={<Rows n={5} />}>
        {({ data, total }) =>
          data.length === 0 ? (
            <Empty title={t("usage.nothing")}>{t("usage.nothing.hint")}</Empty>
          ) : (
            <>
              <Table label={t("usage.top")} columns={columns} rows={data} id={(r) => r.key} />
              <Pager
                newer={page > 1 ? () => router.history.back() : undefined}
                older={
                  page * size < total
                    ? () => navigate({ search: (old) => ({ ...old, page: page + 1 }), resetScroll: false })
                    : undefined
                }
              >
                {tn("usage.rows", total)}
              </Pager>
            </>
          )
        }
      </Loaded>
    </Card>
  );
}

/** Part is a share of a whole: a length and its number. */
function Part({ of }: { of: number | null }) {
  const { format } = useI18n();
  if (of === null) return <span>–</span>;
  return (
    <span className="inline-flex items-center gap-2">
      <svg aria-hidden viewBox="0 0 100 6" preserveAspectRatio="none" className="h-1.5 w-14 max-sm:hidden">
        <rect width="100" height="6" rx="3" className="fill-line" />
        <rect width={Math.max(0, of * 100)} height="6" rx="3" className="fill-accent" />
      </svg>
      <span className="w-12">{percent(format, of)}</span>
    </span>
  );
}
