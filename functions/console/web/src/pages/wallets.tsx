import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Plus, Wallet } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Drawer, Modal } from "../ui/dialog";
import { Filters, Pick, Search } from "../ui/filters";
import { Form, SelectField, TextField } from "../ui/form";
import { Listing } from "../ui/listing";
import { Amount, Card, Page, Time } from "../ui/page";
import { Badge, Loaded } from "../ui/states";
import type { Column } from "../ui/table";
import { WalletDetail } from "./wallet-detail";

export type Holder = Answer<"/api/billing/accounts">["data"][number];
type Kind = "user" | "shared" | "debt";

/** holderName is how people call a wallet. */
export const holderName = (h: Holder) => h.wallet || h.name || h.email;

/** Wallets are the wallets of everybody: what is on them, what came and went, and what an admin can do about it. */
export function Wallets() {
  const t = useT();
  const navigate = useNavigate({ from: "/admin/credits" });
  const search = useSearch({ from: "/inside/admin/admin/credits" });
  const [creating, setCreating] = useState(false);
  const wallets = useQuery({
    queryKey: ["wallets", search.q, search.kind, search.cursor],
    queryFn: ({ signal }) =>
      api.get("/api/billing/accounts", {
        query: { q: search.q, kind: search.kind as Kind | undefined, cursor: search.cursor, pageSize: 50 },
        signal,
      }),
    placeholderData: keepPreviousData,
  });
  const narrow = (change: { q?: string; kind?: string }) =>
    navigate({ search: (old) => ({ ...old, cursor: undefined, ...change }) });
  const show = (wallet: string | undefined) => navigate({ search: (old) => ({ ...old, wallet, tab: undefined }) });
  const columns: Column<Holder>[] = [
    {
      key: "whose",
      head: t("wallets.whose"),
      cell: (h) => (
        <div className="min-w-0">
          <button type="button" onClick={() => show(h.id)} className="text-left font-medium break-all hover:underline">
            {holderName(h)}
          </button>
          {h.name !== "" && h.email !== "" && <div className="text-sm break-all text-ink-3">{h.email}</div>}
        </div>
      ),
    },
    {
      key: "kind",
      head: t("wallets.kind"),
      from: "md",
      cell: (h) =>
        h.closed_at ? (
          <Badge kind="danger">{t("wallets.closed")}</Badge>
        ) : (
          <Badge kind={h.kind === "user" ? undefined : "info"}>{t(`wallets.kind.${h.kind as "user" | "team" | "app"}`)}</Badge>
        ),
    },
    { key: "available", head: t("credits.available"), num: true, cell: (h) => <Amount of={h.available} /> },
    {
      key: "held",
      head: t("credits.held"),
      num: true,
      from: "md",
      cell: (h) => (h.held === "0" ? <span className="text-ink-3">–</span> : <Amount of={h.held} />),
    },
    {
      key: "debt",
      head: t("credits.debt"),
      num: true,
      from: "sm",
      cell: (h) =>
        h.debt === "0" ? (
          <span className="text-ink-3">–</span>
        ) : (
          <span className="text-danger">
            <Amount of={h.debt} />
          </span>
        ),
    },
    { key: "since", head: t("keys.created"), from: "lg", cell: (h) => <Time at={h.created_at} /> },
  ];
  return (
    <Page
      title={t("nav.admin.credits")}
      about={t("wallets.about")}
      actions={
        <Button icon={<Plus aria-hidden className="size-4" />} onClick={() => setCreating(true)}>
          {t("wallets.create")}
        </Button>
      }
    >
      <div>
        <Filters>
          <Search label={t("wallets.search")} value={search.q} onSearch={(q) => narrow({ q })} />
          <Pick
            label={t("wallets.kind")}
            value={search.kind}
            onPick={(kind) => narrow({ kind })}
            options={[
              ["", t("wallets.all")],
              ["user", t("wallets.users")],
              ["shared", t("wallets.shared")],
              ["debt", t("wallets.debt")],
            ]}
          />
        </Filters>
        <Card flush>
          <Listing
            query={wallets}
            label={t("nav.admin.credits")}
            columns={columns}
            id={(h) => h.id}
            open={(h) => show(h.id)}
            icon={<Wallet aria-hidden className="size-5" />}
            none={t("filter.nothing")}
            hint={t("filter.nothing.hint")}
          />
        </Card>
      </div>
      <WalletDrawer id={search.wallet} onClose={() => show(undefined)} />
      <Modal open={creating} onClose={() => setCreating(false)} title={t("wallets.create")} about={t("wallets.create.about")}>
        <Create
          onClose={() => setCreating(false)}
          made={(id) => {
            setCreating(false);
            void show(id);
          }}
        />
      </Modal>
    </Page>
  );
}

function WalletDrawer({ id, onClose }: { id: string | undefined; onClose: () => void }) {
  const t = useT();
  const wallet = useQuery({
    queryKey: ["wallets", "one", id],
    queryFn: ({ signal }) => api.get("/api/billing/accounts/{id}", { params: { id: id ?? "" }, signal }),
    enabled: id !== undefined,
  });
  const h = wallet.data;
  return (
    <Drawer
      open={id !== undefined}
      onClose={onClose}
      title={h ? holderName(h) : t("user.wallet")}
      about={h?.name && h.email ? h.email : undefined}
    >
      {id !== undefined && <Loaded query={wallet}>{(holder) => <WalletDetail key={holder.id} of={holder} />}</Loaded>}
    </Drawer>
  );
}

function Create({ onClose, made }: { onClose: () => void; made: (id: string) => void }) {
  const t = useT();
  const invalidate = useInvalidate();
  return (
    <Form
      submit={t("wallets.create")}
      onCancel={onClose}
      save={async (value) => {
        const wallet = await api.post("/api/billing/wallets", { body: { name: value("name"), kind: value("kind") } });
        await invalidate("wallets");
        made(wallet.id);
      }}
    >
      {(fault) => (
        <>
          <TextField name="name" label={t("field.name")} error={fault("name")} autoComplete="off" required />
          <SelectField name="kind" label={t("wallets.kind")} error={fault("kind")}>
            <option value="team">{t("wallets.kind.team")}</option>
            <option value="app">{t("wallets.kind.app")}</option>
          </SelectField>
        </>
      )}
    </Form>
  );
}
