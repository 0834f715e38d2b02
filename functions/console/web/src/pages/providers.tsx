import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Plug, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api } from "../api/client";
import { useInvalidate } from "../app/session";
import { useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm, Drawer, Modal } from "../ui/dialog";
import { MenuItem, MenuLine, RowMenu } from "../ui/menu";
import { Card, Mono, Page } from "../ui/page";
import { Empty, Loaded, Rows } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { Whole } from "./provider-drawer";
import { healthQuery, kindsQuery, type Provider, ProviderForm, providersQuery } from "./provider-form";
import { type Health, ProviderHealth, Targets } from "./provider-health";

/** Providers are the vendors that calls go to, and how they fare. */
export function Providers() {
  const t = useT();
  const navigate = useNavigate({ from: "/admin/providers" });
  const { name } = useSearch({ from: "/inside/admin/admin/providers" });
  const invalidate = useInvalidate();
  const providers = useQuery(providersQuery);
  const health = useQuery(healthQuery);
  const kinds = useQuery(kindsQuery);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Provider>();
  const title = (kind: string) => kinds.data?.data.find((k) => k.id === kind)?.title ?? kind;
  const show = (p: Provider) => navigate({ search: { name: p.name } });
  const columns: Column<Provider>[] = [
    {
      key: "name",
      head: t("provider.one"),
      cell: (p) => (
        <div className="min-w-0">
          <button type="button" onClick={() => show(p)} className="font-medium hover:underline">
            {p.display_name || p.name}
          </button>
          <div className="text-sm text-ink-3">
            {title(p.kind)}
            {p.source === "env" && ` · ${t("provider.env")}`}
          </div>
        </div>
      ),
    },
    { key: "health", head: t("provider.health"), cell: (p) => <ProviderHealth provider={p} health={health.data} /> },
    { key: "credentials", head: t("provider.credentials"), num: true, from: "md", cell: (p) => p.credentials },
    { key: "url", head: t("provider.url"), from: "lg", cell: (p) => <Mono>{p.base_url}</Mono> },
    {
      key: "menu",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (p) =>
        p.source !== "env" && (
          <RowMenu label={t("action.menu.of", { name: p.name })}>
            <MenuItem icon={<Plug aria-hidden className="size-4" />} onClick={() => show(p)}>
              {t("provider.manage")}
            </MenuItem>
            <MenuLine />
            <MenuItem danger icon={<Trash2 aria-hidden className="size-4" />} onClick={() => setRemoving(p)}>
              {t("action.remove")}
            </MenuItem>
          </RowMenu>
        ),
    },
  ];
  return (
    <Page
      title={t("nav.providers")}
      about={t("providers.about")}
      actions={
        <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => setAdding(true)}>
          {t("provider.add")}
        </Button>
      }
    >
      <Card flush>
        <Loaded query={providers} loading={<Rows n={4} />}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty icon={<Plug aria-hidden className="size-5" />} title={t("providers.none")}>
                {t("providers.none.hint")}
              </Empty>
            ) : (
              <Table label={t("nav.providers")} columns={columns} rows={data} id={(p) => p.name} open={show} />
            )
          }
        </Loaded>
      </Card>
      {health.data && health.data.targets.length > 0 && (
        <Card flush title={t("providers.targets")}>
          <Targets health={health.data} />
        </Card>
      )}
      <Modal open={adding} onClose={() => setAdding(false)} title={t("provider.add")} about={t("provider.add.about")}>
        <ProviderForm
          onCancel={() => setAdding(false)}
          added={(p) => {
            setAdding(false);
            show(p);
          }}
        />
      </Modal>
      <ProviderDrawer
        provider={providers.data?.data.find((p) => p.name === name)}
        health={health.data}
        onClose={() => navigate({ search: {} })}
      />
      <Confirm
        open={removing !== undefined}
        onClose={() => setRemoving(undefined)}
        title={t("provider.remove.title", { name: removing?.name ?? "" })}
        consequences={t("provider.remove.consequences")}
        action={t("action.remove")}
        act={async () => {
          await api.delete("/api/admin/providers/{name}", { params: { name: removing?.name ?? "" } });
          await invalidate("providers", "health", "rates", "prices");
        }}
      />
    </Page>
  );
}

function ProviderDrawer({
  provider,
  health,
  onClose,
}: {
  provider: Provider | undefined;
  health: Health | undefined;
  onClose: () => void;
}) {
  const t = useT();
  return (
    <Drawer open={provider !== undefined} onClose={onClose} title={provider?.display_name || provider?.name || t("provider.one")}>
      {provider && <Whole key={provider.name} provider={provider} health={health} />}
    </Drawer>
  );
}
