import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { BookOpen, Percent, Plus, Tags } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { credits, usd } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm, Modal } from "../ui/dialog";
import { SelectField } from "../ui/form";
import { MenuItem, MenuLine, RowMenu } from "../ui/menu";
import { Card, Page, Time } from "../ui/page";
import { Badge, Empty, Loaded, Rows } from "../ui/states";
import { type Column, Pager, Table } from "../ui/table";
import { Tabs } from "../ui/tabs";
import { CataloguePicker } from "./catalogue-picker";
import { Proposals } from "./proposals";
import { providersQuery } from "./provider-form";
import { RateForm } from "./rate-form";
import { History } from "./rate-history";
import { Reprice } from "./reprice";

export type Rate = Answer<"/api/admin/rates">["data"][number];
type Act = { kind: "add" | "catalogue" | "reprice" } | { kind: "edit" | "delete" | "deprecate"; rate: Rate };

const tabs = ["rates", "proposals", "history"] as const;

/** Rates are the models that can be called and what they cost. */
export function Rates() {
  const t = useT();
  const navigate = useNavigate({ from: "/admin/rates" });
  const search = useSearch({ from: "/inside/admin/admin/rates" });
  const [act, setAct] = useState<Act>();
  const close = () => setAct(undefined);
  const tab = tabs.find((x) => x === search.tab) ?? "rates";
  const invalidate = useInvalidate();
  const changed = () => invalidate("rates", "prices", "status", "history");
  return (
    <Page
      title={t("nav.rates")}
      about={t("rates.about")}
      actions={
        <>
          <Button icon={<Percent aria-hidden className="size-4" />} onClick={() => setAct({ kind: "reprice" })}>
            {t("reprice.title")}
          </Button>
          <Button icon={<Plus aria-hidden className="size-4" />} onClick={() => setAct({ kind: "add" })}>
            {t("rates.add")}
          </Button>
          <Button look="primary" icon={<BookOpen aria-hidden className="size-4" />} onClick={() => setAct({ kind: "catalogue" })}>
            {t("rates.catalogue")}
          </Button>
        </>
      }
    >
      <Tabs
        label={t("nav.rates")}
        value={tab}
        onChange={(next) => navigate({ search: { tab: next === "rates" ? undefined : next } })}
        tabs={tabs.map((x) => [x, t(`rates.tab.${x}`)] as const)}
      >
        {tab === "rates" ? <List act={setAct} /> : tab === "proposals" ? <Proposals /> : <History />}
      </Tabs>
      <Modal
        wide
        open={act?.kind === "add" || act?.kind === "edit"}
        onClose={close}
        title={act?.kind === "edit" ? t("rates.edit") : t("rates.add")}
      >
        {act?.kind === "add" && <RateForm onClose={close} saved={changed} />}
        {act?.kind === "edit" && <RateForm rate={act.rate} onClose={close} saved={changed} />}
      </Modal>
      <Modal wide open={act?.kind === "catalogue"} onClose={close} title={t("rates.catalogue")} about={t("start.models.about")}>
        <FromCatalogue done={close} />
      </Modal>
      <Modal wide open={act?.kind === "reprice"} onClose={close} title={t("reprice.title")} about={t("reprice.about")}>
        <Reprice onClose={close} changed={changed} />
      </Modal>
      <Confirm
        open={act?.kind === "delete"}
        onClose={close}
        title={t("rates.delete.title", { model: act?.kind === "delete" ? `${act.rate.provider}/${act.rate.model}` : "" })}
        consequences={act?.kind === "delete" ? <Dependants id={act.rate.id} /> : null}
        action={t("action.remove")}
        act={async () => {
          if (act?.kind !== "delete") return;
          await api.delete("/api/admin/rates/{id}", { params: { id: act.rate.id }, query: { force: "true" } });
          await changed();
        }}
      />
      <Confirm
        open={act?.kind === "deprecate"}
        onClose={close}
        title={t("rates.deprecate.title", { model: act?.kind === "deprecate" ? `${act.rate.provider}/${act.rate.model}` : "" })}
        consequences={t("rates.deprecate.consequences")}
        action={t("rates.deprecate")}
        act={async () => {
          if (act?.kind !== "deprecate") return;
          await api.post("/api/admin/rates/{id}/deprecate", { params: { id: act.rate.id }, body: {} });
          await changed();
        }}
      />
    </Page>
  );
}

/** Dependants says what a rate's removal does to others. */
function Dependants({ id }: { id: string }) {
  const { t, tn } = useI18n();
  const found = useQuery({
    queryKey: ["dependants", id],
    queryFn: ({ signal }) => api.get("/api/admin/rates/{id}/dependants", { params: { id }, signal }),
  });
  return (
    <div className="flex flex-col gap-2">
      <p>{t("rates.delete.consequences")}</p>
      {found.data && found.data.aliases.length > 0 && (
        <p>{t("rates.delete.aliases", { names: found.data.aliases.join(", ") })}</p>
      )}
      {found.data && found.data.open_calls > 0 && <p>{tn("rates.delete.calls", found.data.open_calls)}</p>}
    </div>
  );
}

function FromCatalogue({ done }: { done: () => void }) {
  const t = useT();
  const providers = useQuery(providersQuery);
  const [name, setName] = useState("");
  return (
    <Loaded query={providers}>
      {({ data }) => {
        const provider = data.find((p) => p.name === name) ?? data[0];
        if (!provider) return <Empty title={t("providers.none")}>{t("providers.none.hint")}</Empty>;
        return (
          <div className="flex flex-col gap-4">
            <SelectField label={t("provider.one")} value={provider.name} onChange={(e) => setName(e.target.value)}>
              {data.map((p) => (
                <option key={p.name}>{p.name}</option>
              ))}
            </SelectField>
            <CataloguePicker key={provider.name} provider={provider} done={done} />
          </div>
        );
      }}
    </Loaded>
  );
}

function List({ act }: { act: (act: Act) => void }) {
  const { t, tn, format } = useI18n();
  const router = useRouter();
  const invalidate = useInvalidate();
  const navigate = useNavigate({ from: "/admin/rates" });
  const search = useSearch({ from: "/inside/admin/admin/rates" });
  const providers = useQuery(providersQuery);
  const page = search.page ?? 1;
  const query = {
    provider: search.provider,
    model: search.model,
    deprecated: search.deprecated ? ("true" as const) : undefined,
    page,
    pageSize: 50,
  };
  const rates = useQuery({
    queryKey: ["rates", "list", query],
    queryFn: ({ signal }) => api.get("/api/admin/rates", { query: query, signal }),
    placeholderData: keepPreviousData,
  });
  const set = (change: Partial<typeof search>) => navigate({ search: (old) => ({ ...old, page: undefined, ...change }) });
  const price = (of: Record<string, string> | null, bucket: string, how: (text: string) => string) => {
    const text = of?.[bucket];
    return text === undefined ? "–" : how(text);
  };
  const columns: Column<Rate>[] = [
    {
      key: "model",
      head: t("call.model"),
      cell: (r) => (
        <div className="min-w-0">
          <button
            type="button"
            onClick={() => act({ kind: "edit", rate: r })}
            className="text-left font-medium break-all hover:underline"
          >
            {r.display || r.model}
          </button>
          <div className="text-sm text-ink-3">
            {r.provider} · {t(`type.${r.type}`)}
          </div>
        </div>
      ),
    },
    {
      key: "state",
      head: t("keys.state"),
      from: "md",
      cell: (r) =>
        r.refused_from || r.deprecated_at ? (
          <span title={r.deprecated_reason}>
            <Badge kind="warn">{t("rates.deprecated")}</Badge>
          </span>
        ) : (
          <Badge kind="ok">{t("keys.active")}</Badge>
        ),
    },
    {
      key: "input",
      head: t("models.input"),
      num: true,
      cell: (r) => price(r.credits_per_million, "input", (x) => credits(format, x)),
    },
    {
      key: "output",
      head: t("models.output"),
      num: true,
      cell: (r) => price(r.credits_per_million, "output", (x) => credits(format, x)),
    },
    {
      key: "cost",
      head: t("rates.cost"),
      num: true,
      from: "lg",
      cell: (r) => (
        <span className="text-ink-2">
          {price(r.cost_usd_per_million, "input", (x) => usd(format, x))} ·{" "}
          {price(r.cost_usd_per_million, "output", (x) => usd(format, x))}
        </span>
      ),
    },
    { key: "margin", head: t("rates.margin"), num: true, from: "lg", cell: (r) => (r.margin ? `${r.margin} %` : "–") },
    { key: "since", head: t("rates.since"), from: "xl", cell: (r) => <Time at={r.effective_from} /> },
    {
      key: "menu",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (r) => (
        <RowMenu label={t("action.menu.of", { name: r.model })}>
          <MenuItem onClick={() => act({ kind: "edit", rate: r })}>{t("action.edit")}</MenuItem>
          {r.deprecated_at ? (
            <MenuItem
              onClick={async () => {
                await api.post("/api/admin/rates/{id}/restore", { params: { id: r.id } });
                await invalidate("rates");
              }}
            >
              {t("rates.restore")}
            </MenuItem>
          ) : (
            <MenuItem onClick={() => act({ kind: "deprecate", rate: r })}>{t("rates.deprecate")}</MenuItem>
          )}
          <MenuLine />
          <MenuItem danger onClick={() => act({ kind: "delete", rate: r })}>
            {t("action.remove")}
          </MenuItem>
        </RowMenu>
      ),
    },
  ];
  const filtered = Boolean(search.provider || search.model || search.deprecated);
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap gap-3">
        <form
          className="min-w-48 flex-1 sm:max-w-sm"
          onSubmit={(e) => {
            e.preventDefault();
            set({ model: String(new FormData(e.currentTarget).get("model")).trim() || undefined });
          }}
        >
          <input
            name="model"
            type="search"
            aria-label={t("rates.model.exact")}
            placeholder={t("rates.model.exact")}
            defaultValue={search.model}
            className="input"
          />
        </form>
        <select
          aria-label={t("provider.one")}
          value={search.provider ?? ""}
          onChange={(e) => set({ provider: e.target.value || undefined })}
          className="input w-auto"
        >
          <option value="">{t("rates.providers")}</option>
          {providers.data?.data.map((p) => (
            <option key={p.name}>{p.name}</option>
          ))}
        </select>
        <label className="flex items-center gap-2">
          <input
            type="checkbox"
            checked={search.deprecated === true}
            onChange={(e) => set({ deprecated: e.target.checked || undefined })}
            className="size-4 accent-accent-fill"
          />
          {t("rates.only.deprecated")}
        </label>
      </div>
      <Card flush>
        <Loaded query={rates} loading={<Rows />}>
          {({ data, total }) =>
            data.length === 0 ? (
              <Empty icon={<Tags aria-hidden className="size-5" />} title={filtered ? t("filter.nothing") : t("rates.none")}>
                {filtered ? t("filter.nothing.hint") : t("rates.none.hint")}
              </Empty>
            ) : (
              <>
                <Table
                  label={t("nav.rates")}
                  columns={columns}
                  rows={data}
                  id={(r) => r.id}
                  open={(rate) => act({ kind: "edit", rate })}
                />
                <Pager
                  newer={page > 1 ? () => router.history.back() : undefined}
                  older={page * 50 < total ? () => navigate({ search: (old) => ({ ...old, page: page + 1 }) }) : undefined}
                >
                  {tn("models.count", total)}
                </Pager>
              </>
            )
          }
        </Loaded>
      </Card>
    </div>
  );
}
