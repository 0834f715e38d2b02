import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { Boxes } from "lucide-react";
import { useDeferredValue, useEffect, useState } from "react";
import { type Answer, api } from "../api/client";
import { count, credits, percent } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { CopyButton } from "../ui/copy";
import { Drawer } from "../ui/dialog";
import { Card, Facts, Mono, Page } from "../ui/page";
import { Badge, Empty, Loaded, Rows } from "../ui/states";
import { type Column, Pager, Table } from "../ui/table";
import { useBucketName } from "./call-drawer";

type Price = Answer<"/api/billing/prices">["data"][number];

export const types = [
  "chatCompletion",
  "embedding",
  "imageGeneration",
  "audioGeneration",
  "video",
  "moderation",
  "rerank",
] as const;

/** perMillion moves the point of an exact price per token six places. */
export function perMillion(price: string): string {
  const [whole = "0", fraction = ""] = price.split(".");
  const moved = (whole + fraction.padEnd(6, "0").slice(0, 6)).replace(/^0+(?=\d)/, "");
  const rest = fraction.slice(6).replace(/0+$/, "");
  return rest ? `${moved}.${rest}` : moved;
}

/** Models is what can be called, what it costs and how it fares. */
export function Models() {
  const { t, tn, format } = useI18n();
  const router = useRouter();
  const navigate = useNavigate({ from: "/models" });
  const search = useSearch({ from: "/inside/models" });
  const [typed, setTyped] = useState(search.q ?? "");
  const q = useDeferredValue(typed.trim());
  const [open, setOpen] = useState<Price>();
  const page = search.page ?? 1;
  useEffect(() => {
    if (q !== (search.q ?? ""))
      void navigate({ search: (old) => ({ ...old, q: q || undefined, page: undefined }), replace: true });
  }, [q, search.q, navigate]);
  const prices = useQuery({
    queryKey: ["prices", search],
    queryFn: ({ signal }) =>
      api.get("/api/billing/prices", {
        query: { q: search.q, type: search.type, provider: search.provider, page, pageSize: 50 },
        signal,
      }),
    placeholderData: keepPreviousData,
  });
  const status = useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => api.get("/api/status", { signal }),
    refetchInterval: 60_000,
  });
  const fares = new Map((status.data?.models ?? []).map((m) => [m.model, m]));

  const price = (p: Price, bucket: string) => {
    const text = p.prices?.[bucket];
    return text === undefined ? "–" : credits(format, perMillion(text));
  };
  const columns: Column<Price>[] = [
    {
      key: "model",
      head: t("call.model"),
      cell: (p) => (
        <button type="button" onClick={() => setOpen(p)} className="text-left font-medium break-all hover:underline">
          {p.model}
        </button>
      ),
    },
    { key: "type", head: t("models.type"), from: "md", cell: (p) => <span className="text-ink-2">{t(`type.${p.type}`)}</span> },
    {
      key: "status",
      head: t("models.status"),
      cell: (p) => {
        const s = fares.get(p.model);
        if (s?.available === true)
          return <Badge kind="ok">{s.success_rate === null ? t("models.up") : percent(format, s.success_rate)}</Badge>;
        if (s?.available === false) return <Badge kind="danger">{t("models.down")}</Badge>;
        return <Badge>{t("models.idle")}</Badge>;
      },
    },
    {
      key: "context",
      head: t("models.context"),
      num: true,
      from: "lg",
      cell: (p) => (p.context_length ? count(format, p.context_length) : "–"),
    },
    { key: "input", head: t("models.input"), num: true, from: "sm", cell: (p) => price(p, "input") },
    { key: "output", head: t("models.output"), num: true, from: "sm", cell: (p) => price(p, "output") },
  ];
  const filtered = Boolean(search.q || search.type || search.provider);
  return (
    <Page title={t("nav.models")} about={prices.data?.billing === false ? t("models.about.free") : t("models.about")}>
      <div className="flex flex-wrap gap-3">
        <input
          type="search"
          aria-label={t("models.search")}
          placeholder={t("models.search")}
          value={typed}
          onChange={(e) => setTyped(e.target.value)}
          className="input min-w-48 flex-1 sm:max-w-sm"
        />
        <select
          aria-label={t("models.type")}
          value={search.type ?? ""}
          onChange={(e) => navigate({ search: (old) => ({ ...old, type: e.target.value || undefined, page: undefined }) })}
          className="input w-auto"
        >
          <option value="">{t("models.types")}</option>
          {types.map((x) => (
            <option key={x} value={x}>
              {t(`type.${x}`)}
            </option>
          ))}
        </select>
      </div>
      <Card flush>
        <Loaded query={prices} loading={<Rows />}>
          {({ data, total, page_size }) =>
            data.length === 0 ? (
              <Empty icon={<Boxes aria-hidden className="size-5" />} title={filtered ? t("filter.nothing") : t("models.none")}>
                {filtered ? t("filter.nothing.hint") : t("models.none.hint")}
              </Empty>
            ) : (
              <>
                <Table
                  label={t("nav.models")}
                  columns={columns}
                  rows={data}
                  id={(p) => `${p.provider} ${p.model} ${p.type}`}
                  open={setOpen}
                />
                <Pager
                  newer={page > 1 ? () => router.history.back() : undefined}
                  older={page * page_size < total ? () => navigate({ search: (old) => ({ ...old, page: page + 1 }) }) : undefined}
                >
                  {tn("models.count", total)}
                </Pager>
              </>
            )
          }
        </Loaded>
      </Card>
      <Drawer
        open={open !== undefined}
        onClose={() => setOpen(undefined)}
        title={open?.model ?? ""}
        about={open && t(`type.${open.type}`)}
      >
        {open && <Prices of={open} />}
      </Drawer>
    </Page>
  );
}

function Prices({ of: p }: { of: Price }) {
  const { t, format } = useI18n();
  const bucketName = useBucketName();
  const each = new Set(["requests", "web_searches", "images", "seconds", "characters"]);
  const rows = Object.entries(p.prices ?? {}).filter(([, amount]) => amount !== "0");
  return (
    <div className="flex flex-col gap-6">
      <div className="flex flex-wrap items-center gap-2">
        <Mono>{p.model}</Mono>
        <CopyButton text={p.model} />
      </div>
      <Facts
        items={[
          [t("provider.one"), p.provider],
          !!p.context_length && [t("models.context"), count(format, p.context_length)],
          !!p.max_output_tokens && [t("models.output.most"), count(format, p.max_output_tokens)],
        ]}
      />
      {rows.length > 0 && (
        <section>
          <h3 className="mb-2 font-semibold">{t("models.prices")}</h3>
          <Facts
            items={rows.map(
              ([bucket, amount]) =>
                [
                  bucketName(bucket),
                  each.has(bucket)
                    ? t("models.per.one", { amount: credits(format, amount) })
                    : t("models.per.million", { amount: credits(format, perMillion(amount)) }),
                ] as const,
            )}
          />
        </section>
      )}
      {p.tiers?.map((tier) => (
        <section key={tier.above}>
          <h3 className="mb-2 font-semibold">{t("models.tier", { n: count(format, tier.above) })}</h3>
          <Facts
            items={Object.entries(tier.prices).map(
              ([bucket, amount]) =>
                [bucketName(bucket), t("models.per.million", { amount: credits(format, perMillion(amount)) })] as const,
            )}
          />
        </section>
      ))}
      {p.variants && p.variants.length > 0 && (
        <section>
          <h3 className="mb-2 font-semibold">{t("models.variants")}</h3>
          <Facts items={p.variants.map((v) => [v.unit, credits(format, v.rate)] as const)} />
        </section>
      )}
    </div>
  );
}
