import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Plus, Route, Trash2 } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { useI18n, useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm, Drawer } from "../ui/dialog";
import { MenuItem, MenuLine, RowMenu } from "../ui/menu";
import { Card, Page } from "../ui/page";
import { Badge, Empty, Loaded, Note, Rows } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { Tabs } from "../ui/tabs";
import { AliasForm } from "./routing-form";
import { TryName } from "./routing-try";

export type Alias = Answer<"/api/admin/aliases">["data"][number];

const tabs = ["names", "try"] as const;

/** Routing is where calls go: names of the operator's own, and what would come of a name. */
export function Routing() {
  const t = useT();
  const navigate = useNavigate({ from: "/admin/routing" });
  const search = useSearch({ from: "/inside/admin/admin/routing" });
  const tab = tabs.find((x) => x === search.tab) ?? "names";
  return (
    <Page
      title={t("nav.routing")}
      about={t("routing.about")}
      actions={
        <Button
          look="primary"
          icon={<Plus aria-hidden className="size-4" />}
          onClick={() => navigate({ search: { edit: "new" } })}
        >
          {t("routing.add")}
        </Button>
      }
    >
      <Tabs
        label={t("nav.routing")}
        value={tab}
        onChange={(next) => navigate({ search: { tab: next === "names" ? undefined : next } })}
        tabs={tabs.map((x) => [x, t(`routing.tab.${x}`)] as const)}
      >
        {tab === "names" ? <Names /> : <TryName />}
      </Tabs>
    </Page>
  );
}

function Names() {
  const { t, tn } = useI18n();
  const navigate = useNavigate({ from: "/admin/routing" });
  const { edit, name } = useSearch({ from: "/inside/admin/admin/routing" });
  const invalidate = useInvalidate();
  const [removing, setRemoving] = useState<Alias>();
  const aliases = useQuery({ queryKey: ["aliases"], queryFn: ({ signal }) => api.get("/api/admin/aliases", { signal }) });
  const shown = edit === "new" ? undefined : aliases.data?.data.find((a) => a.name === name);
  const show = (a: Alias) => navigate({ search: { name: a.name } });
  const close = () => navigate({ search: {} });
  const columns: Column<Alias>[] = [
    {
      key: "name",
      head: t("routing.name"),
      cell: (a) => (
        <div className="min-w-0">
          <button type="button" onClick={() => show(a)} className="text-left font-medium wrap-anywhere hover:underline">
            {a.name}
          </button>
          <div className="mt-0.5 sm:hidden">
            <Way alias={a} />
          </div>
        </div>
      ),
    },
    { key: "to", head: t("routing.to"), from: "sm", cell: (a) => <Way alias={a} /> },
    {
      key: "rules",
      head: t("routing.rules"),
      from: "md",
      cell: (a) => <span className="whitespace-nowrap text-ink-3">{tn("routing.rules.n", a.rules?.length ?? 0)}</span>,
    },
    {
      key: "menu",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (a) => (
        <RowMenu label={t("action.menu.of", { name: a.name })}>
          <MenuItem onClick={() => show(a)}>{t("action.edit")}</MenuItem>
          <MenuItem
            icon={<Route aria-hidden className="size-4" />}
            onClick={() => navigate({ search: { tab: "try", model: a.name } })}
          >
            {t("routing.try")}
          </MenuItem>
          <MenuLine />
          <MenuItem danger icon={<Trash2 aria-hidden className="size-4" />} onClick={() => setRemoving(a)}>
            {t("action.remove")}
          </MenuItem>
        </RowMenu>
      ),
    },
  ];
  return (
    <>
      <Card flush>
        <Loaded query={aliases} loading={<Rows n={4} />}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty icon={<Route aria-hidden className="size-5" />} title={t("routing.none")}>
                {t("routing.none.hint")}
              </Empty>
            ) : (
              <Table label={t("routing.tab.names")} columns={columns} rows={data} id={(a) => a.name} open={show} />
            )
          }
        </Loaded>
      </Card>
      <Drawer
        open={edit === "new" || shown !== undefined}
        onClose={close}
        title={shown ? shown.name : t("routing.add")}
        about={t("routing.edit.about")}
      >
        {(edit === "new" || shown) && (
          <AliasForm
            key={shown?.name ?? "new"}
            alias={shown}
            taken={aliases.data?.data.map((a) => a.name) ?? []}
            onClose={close}
          />
        )}
        {!shown && edit !== "new" && <Note>{t("routing.gone")}</Note>}
      </Drawer>
      <Confirm
        open={removing !== undefined}
        onClose={() => setRemoving(undefined)}
        title={t("routing.remove.title", { name: removing?.name ?? "" })}
        consequences={t("routing.remove.consequences")}
        action={t("action.remove")}
        act={async () => {
          await api.delete("/api/admin/aliases/{name}", { params: { name: removing?.name ?? "" } });
          await invalidate("aliases", "prices", "plan");
        }}
      />
    </>
  );
}

/** Way is a name's last rule in short, which is the one for everybody as a rule. */
function Way({ alias }: { alias: Alias }) {
  const { t } = useI18n();
  const rule = alias.rules?.at(-1);
  const steps = rule?.steps ?? [];
  return (
    <span className="flex min-w-0 flex-wrap items-center gap-x-1.5 gap-y-1">
      {steps.map((s, i) => {
        const models = (s.targets ?? []).map((x) => x.model).join(" | ");
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: steps have no other name
          <span key={i} className="flex min-w-0 items-center gap-1.5">
            {i > 0 && (
              <span className="text-ink-3" title={t("routing.then")}>
                <span aria-hidden>→</span>
                <span className="sr-only">{t("routing.then")}</span>
              </span>
            )}
            <span className="font-mono text-[13px] wrap-anywhere">{models}</span>
          </span>
        );
      })}
      {rule?.policy && <Badge>{rule.policy}</Badge>}
    </span>
  );
}
