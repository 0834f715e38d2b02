import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { Boxes, Scale, X } from "lucide-react";
import { useDeferredValue, useEffect, useState } from "react";
import { api } from "../api/client";
import { count, credits, short } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { Drawer } from "../ui/dialog";
import { Card, Page } from "../ui/page";
import { Empty, Loaded, Rows } from "../ui/states";
import { type Column, Pager, Table } from "../ui/table";
import { Compare } from "./models-compare";
import { Can, Prices, State } from "./models-prices";
import { capabilities, type Price, perMillion, types, useFares } from "./models-query";

const mostCompared = 4;
const contexts = ["32000", "128000", "200000", "1000000"];
const orders = ["name", "input", "input-down", "output", "output-down", "context-down"] as const;

/** comparedOf are the models that the address names for a comparison. */
function comparedOf(text: string | undefined): string[] {
  return [...new Set((text ?? "").split(",").filter(Boolean))].slice(0, mostCompared);
}

/** Models is what can be called, what it costs and how it fares. */
export function Models() {
  const { t } = useI18n();
  const navigate = useNavigate({ from: "/models" });
  const search = useSearch({ from: "/inside/models" });
  const compared = comparedOf(search.compare);
  const choose = (names: string[]) =>
    navigate({ search: (old) => ({ ...old, compare: names.join(",") || undefined }), replace: true, resetScroll: false });
  if (search.view === "compare" && compared.length > 0)
    return (
      <Compare
        names={compared}
        drop={(name) => choose(compared.filter((n) => n !== name))}
        back={() => navigate({ search: (old) => ({ ...old, view: undefined }) })}
      />
    );
  return (
    <Page title={t("nav.models")} about={t("models.about")}>
      <Filters />
      <List compared={compared} choose={choose} />
      {compared.length > 0 && (
        <section
          aria-label={t("models.compare")}
          className="pop sticky bottom-18 z-10 flex flex-wrap items-center gap-2 px-3 py-2.5 lg:bottom-4"
        >
          <Scale aria-hidden className="size-4.5 shrink-0 text-accent" />
          <ul className="flex min-w-0 flex-1 flex-wrap gap-1.5">
            {compared.map((name) => (
              <li key={name} className="max-w-full">
                <button
                  type="button"
                  onClick={() => choose(compared.filter((n) => n !== name))}
                  className="inline-flex min-h-7 max-w-full items-center gap-1 rounded-full border border-line-strong px-2.5 text-sm hover:bg-sunken"
                >
                  <span className="truncate">{name}</span>
                  <X aria-hidden className="size-3.5 shrink-0" />
                  <span className="sr-only">{t("action.remove")}</span>
                </button>
              </li>
            ))}
          </ul>
          <Button
            look="primary"
            small
            disabled={compared.length < 2}
            onClick={() => navigate({ search: (old) => ({ ...old, view: "compare" }) })}
          >
            {compared.length < 2 ? t("models.compare.more") : t("models.compare")}
          </Button>
        </section>
      )}
    </Page>
  );
}

function Filters() {
  const { t, format } = useI18n();
  const navigate = useNavigate({ from: "/models" });
  const search = useSearch({ from: "/inside/models" });
  const [typed, setTyped] = useState(search.q ?? "");
  const q = useDeferredValue(typed.trim());
  const set = (change: Partial<typeof search>) => navigate({ search: (old) => ({ ...old, page: undefined, ...change }) });
  useEffect(() => {
    if (q !== (search.q ?? ""))
      void navigate({ search: (old) => ({ ...old, q: q || undefined, page: undefined }), replace: true });
  }, [q, search.q, navigate]);
  const providers = useQuery({
    queryKey: ["prices", "providers"],
    queryFn: ({ signal }) => api.get("/api/billing/prices", { query: { pageSize: 1 }, signal }),
    staleTime: 300_000,
  });
  const order = `${search.sort ?? "name"}${search.down ? "-down" : ""}`;
  return (
    <div className="grid grid-cols-2 gap-2 sm:flex sm:flex-wrap">
      <input
        type="search"
        aria-label={t("models.search")}
        placeholder={t("models.search")}
        value={typed}
        onChange={(e) => setTyped(e.target.value)}
        className="input min-w-44 flex-1 max-sm:col-span-2 sm:max-w-72"
      />
      <select
        aria-label={t("models.type")}
        value={search.type ?? ""}
        onChange={(e) => set({ type: e.target.value || undefined })}
        className="input sm:w-auto"
      >
        <option value="">{t("models.types")}</option>
        {types.map((x) => (
          <option key={x} value={x}>
            {t(`type.${x}`)}
          </option>
        ))}
      </select>
      <select
        aria-label={t("provider.one")}
        value={search.provider ?? ""}
        onChange={(e) => set({ provider: e.target.value || undefined })}
        className="input sm:w-auto"
      >
        <option value="">{t("models.providers")}</option>
        {providers.data?.providers.map((x) => (
          <option key={x}>{x}</option>
        ))}
      </select>
      <select
        aria-label={t("models.can")}
        value={search.can ?? ""}
        onChange={(e) => set({ can: e.target.value || undefined })}
        className="input sm:w-auto"
      >
        <option value="">{t("models.can.any")}</option>
        {capabilities.map((x) => (
          <option key={x} value={x}>
            {t(`models.can.${x}`)}
          </option>
        ))}
      </select>
      <select
        aria-label={t("models.context")}
        value={search.context ?? ""}
        onChange={(e) => set({ context: e.target.value || undefined })}
        className="input sm:w-auto"
      >
        <option value="">{t("models.context.any")}</option>
        {contexts.map((n) => (
          <option key={n} value={n}>
            {t("models.context.least", { n: short(format, Number(n)) })}
          </option>
        ))}
      </select>
      <select
        aria-label={t("models.sort")}
        value={order}
        onChange={(e) => {
          const [sort, down] = e.target.value.split("-");
          void set({ sort: sort === "name" ? undefined : sort, down: down ? true : undefined });
        }}
        className="input sm:w-auto"
      >
        {orders.map((x) => (
          <option key={x} value={x}>
            {t(`models.sort.${x}`)}
          </option>
        ))}
      </select>
    </div>
  );
}

function List({ compared, choose }: { compared: string[]; choose: (names: string[]) => void }) {
  const { t, tn, format } = useI18n();
  const router = useRouter();
  const navigate = useNavigate({ from: "/models" });
  const search = useSearch({ from: "/inside/models" });
  const page = search.page ?? 1;
  const size = 50;
  const query = {
    q: search.q,
    type: search.type,
    provider: search.provider,
    capability: search.can,
    minContext: Number(search.context) || undefined,
    sort: (["input", "output", "context"] as const).find((x) => x === search.sort),
    order: search.down ? ("desc" as const) : undefined,
    page,
    pageSize: size,
  };
  const prices = useQuery({
    queryKey: ["prices", query],
    queryFn: ({ signal }) => api.get("/api/billing/prices", { query, signal }),
    placeholderData: keepPreviousData,
  });
  const fares = useFares();
  const show = (p: Price | undefined) =>
    navigate({ search: (old) => ({ ...old, model: p && `${p.type} ${p.model}` }), resetScroll: false });
  const open = prices.data?.data.find((p) => `${p.type} ${p.model}` === search.model);
  const price = (p: Price, bucket: string) => {
    const text = p.prices?.[bucket];
    return text === undefined ? "–" : credits(format, perMillion(text));
  };
  const columns: Column<Price>[] = [
    {
      key: "compare",
      head: <span className="sr-only">{t("models.compare")}</span>,
      className: "w-9 !pr-0",
      cell: (p) => {
        const on = compared.includes(p.model);
        return (
          <input
            type="checkbox"
            aria-label={t("models.compare.one", { model: p.model })}
            title={t("models.compare.one", { model: p.model })}
            checked={on}
            disabled={!on && compared.length >= mostCompared}
            onChange={() => choose(on ? compared.filter((n) => n !== p.model) : [...compared, p.model])}
            className="size-4 align-middle accent-accent-fill"
          />
        );
      },
    },
    {
      key: "model",
      head: t("call.model"),
      className: "w-full min-w-32",
      cell: (p) => (
        <div>
          <button type="button" onClick={() => show(p)} className="text-left font-medium break-all hover:underline">
            {p.model}
          </button>
          <Can of={p} />
          {p.prices && (
            <div className="text-sm text-ink-2 tabular-nums sm:hidden">
              {t("models.input")} {price(p, "input")} · {t("models.output")} {price(p, "output")}
            </div>
          )}
        </div>
      ),
    },
    {
      key: "type",
      head: t("models.type"),
      from: "md",
      cell: (p) => <span className="whitespace-nowrap text-ink-2">{t(`type.${p.type}`)}</span>,
    },
    { key: "status", head: t("models.status"), cell: (p) => <State of={fares(p)} /> },
    {
      key: "context",
      head: t("models.context"),
      num: true,
      from: "lg",
      cell: (p) =>
        p.context_length ? <span title={count(format, p.context_length)}>{short(format, p.context_length)}</span> : "–",
    },
    { key: "input", head: t("models.input"), num: true, from: "sm", cell: (p) => price(p, "input") },
    { key: "output", head: t("models.output"), num: true, from: "sm", cell: (p) => price(p, "output") },
  ];
  const filtered = Boolean(search.q || search.type || search.provider || search.can || search.context);
  return (
    <Card flush>
      <Loaded query={prices} loading={<Rows />}>
        {({ data, total, billing }) =>
          data.length === 0 ? (
            <Empty icon={<Boxes aria-hidden className="size-5" />} title={filtered ? t("filter.nothing") : t("models.none")}>
              {filtered ? t("filter.nothing.hint") : t("models.none.hint")}
            </Empty>
          ) : (
            <>
              {!billing && <p className="border-b border-line px-4 py-2 text-sm text-ink-3">{t("models.about.free")}</p>}
              <Table
                label={t("nav.models")}
                columns={columns}
                rows={data}
                id={(p) => `${p.provider} ${p.model} ${p.type}`}
                open={show}
              />
              <Pager
                newer={page > 1 ? () => router.history.back() : undefined}
                older={page * size < total ? () => navigate({ search: (old) => ({ ...old, page: page + 1 }) }) : undefined}
              >
                {tn("models.count", total)}
              </Pager>
            </>
          )
        }
      </Loaded>
      <Drawer
        open={open !== undefined}
        onClose={() => show(undefined)}
        title={open?.model ?? ""}
        about={open && t(`type.${open.type}`)}
      >
        {open && <Prices of={open} fares={fares(open)} />}
      </Drawer>
    </Card>
  );
}
