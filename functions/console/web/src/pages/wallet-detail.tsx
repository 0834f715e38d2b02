import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { credits } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm, Modal } from "../ui/dialog";
import { MenuItem, RowMenu } from "../ui/menu";
import { Amount, Card, Stat, Time } from "../ui/page";
import { Badge, Empty, Loaded, Note, Rows } from "../ui/states";
import { type Column, Pager, Table } from "../ui/table";
import { Tabs } from "../ui/tabs";
import { AdjustForm, GrantForm, type Purse, ReverseForm, TransferForm } from "./money-forms";
import { Members } from "./wallet-members";
import { type Holder, holderName } from "./wallets";

type Grant = Answer<"/api/billing/accounts/{id}/grants">["data"][number];
type Move = Answer<"/api/billing/accounts/{id}/transactions">["data"][number];
type Tab = "grants" | "moves" | "members";
type Doing = { kind: "grant" | "adjust" | "transfer" | "close" } | { kind: "reverse"; grant: Grant };

/** WalletDetail shows a wallet with its grants and entries, and moves its credits. */
export function WalletDetail({ of: h }: { of: Holder }) {
  const t = useT();
  const invalidate = useInvalidate();
  const [tab, setTab] = useState<Tab>("grants");
  const [doing, setDoing] = useState<Doing>();
  const close = () => setDoing(undefined);
  const purse: Purse = h.wallet ? { wallet: h.id } : { email: h.email };
  const name = holderName(h);
  const tabs: [Tab, string][] = [
    ["grants", t("credits.tab.grants")],
    ["moves", t("credits.tab.moves")],
  ];
  if (h.wallet) tabs.push(["members", t("wallets.members")]);
  return (
    <div className="flex flex-col gap-5">
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
        <div className="max-sm:col-span-2">
          <Stat label={t("credits.available")}>
            <Amount of={h.available} />
          </Stat>
        </div>
        <Stat label={t("credits.held")}>
          <Amount of={h.held} />
        </Stat>
        <Stat label={t("credits.debt")}>
          <Amount of={h.debt} />
        </Stat>
      </div>
      {h.closed_at ? (
        <Note kind="warn">
          {t("wallets.closed.since")} <Time at={h.closed_at} exact />
        </Note>
      ) : (
        <div className="flex flex-wrap gap-2">
          <Button look="primary" onClick={() => setDoing({ kind: "grant" })}>
            {t("users.grant")}
          </Button>
          <Button onClick={() => setDoing({ kind: "adjust" })}>{t("money.adjust")}</Button>
          <Button onClick={() => setDoing({ kind: "transfer" })}>{t("money.transfer")}</Button>
          {h.wallet && (
            <Button look="quiet" onClick={() => setDoing({ kind: "close" })}>
              {t("wallets.close")}
            </Button>
          )}
        </div>
      )}
      <Tabs label={name} value={tab} onChange={setTab} tabs={tabs}>
        {tab === "grants" && <Grants of={h} reverse={(grant) => setDoing({ kind: "reverse", grant })} />}
        {tab === "moves" && <Moves of={h} />}
        {tab === "members" && <Members id={h.id} name={h.wallet} closed={h.closed_at !== null} />}
      </Tabs>

      <Modal open={doing?.kind === "grant"} onClose={close} title={t("users.grant")} about={name}>
        {doing?.kind === "grant" && <GrantForm to={purse} name={name} onClose={close} />}
      </Modal>
      <Modal open={doing?.kind === "adjust"} onClose={close} title={t("money.adjust")} about={t("money.adjust.about", { name })}>
        {doing?.kind === "adjust" && <AdjustForm to={purse} name={name} onClose={close} />}
      </Modal>
      <Modal open={doing?.kind === "transfer"} onClose={close} title={t("money.transfer")} about={t("money.from", { name })}>
        {doing?.kind === "transfer" && <TransferForm to={purse} name={name} onClose={close} />}
      </Modal>
      <Modal open={doing?.kind === "reverse"} onClose={close} title={t("money.reverse")} about={t("money.reverse.about")}>
        {doing?.kind === "reverse" && <ReverseForm to={purse} name={name} grant={doing.grant} onClose={close} />}
      </Modal>
      <Confirm
        open={doing?.kind === "close"}
        onClose={close}
        title={t("wallets.close.title", { name })}
        consequences={t("wallets.close.consequences")}
        action={t("wallets.close")}
        act={async () => {
          await api.delete("/api/billing/wallets/{name}", { params: { name: h.id } });
          await invalidate("wallets");
        }}
      />
    </div>
  );
}

function Grants({ of: h, reverse }: { of: Holder; reverse: (grant: Grant) => void }) {
  const { t, known, format } = useI18n();
  const [page, setPage] = useState(1);
  const grants = useQuery({
    queryKey: ["grants", "of", h.id, page],
    queryFn: ({ signal }) =>
      api.get("/api/billing/accounts/{id}/grants", { params: { id: h.id }, query: { page, pageSize: 20 }, signal }),
    placeholderData: keepPreviousData,
  });
  const columns: Column<Grant>[] = [
    {
      key: "name",
      head: t("grants.what"),
      cell: (g) => (
        <div className="min-w-0">
          {g.name || g.reason || known(`grant.${g.kind}`, g.kind)}
          <div className="text-sm text-ink-3">
            {known(`grant.${g.kind}`, g.kind)} · <Time at={g.created_at} />
          </div>
        </div>
      ),
    },
    {
      key: "state",
      head: t("grants.state"),
      from: "sm",
      cell: (g) => (
        <Badge kind={g.state === "active" && g.remaining !== "0" ? "ok" : undefined}>
          {g.remaining === "0" && g.state === "active" ? t("grant.state.used") : known(`grant.state.${g.state}`, g.state)}
        </Badge>
      ),
    },
    {
      key: "expires",
      head: t("grants.expires"),
      from: "md",
      cell: (g) => (g.expires_at ? <Time at={g.expires_at} /> : <span className="text-ink-3">{t("grants.never")}</span>),
    },
    {
      key: "left",
      head: t("grants.left"),
      num: true,
      cell: (g) => (
        <>
          <Amount of={g.remaining} />
          <span className="text-ink-3"> / {credits(format, g.amount)}</span>
        </>
      ),
    },
    {
      key: "menu",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (g) =>
        !h.closed_at &&
        g.state === "active" && (
          <RowMenu label={t("action.menu.of", { name: g.name || g.reason || g.kind })}>
            <MenuItem danger onClick={() => reverse(g)}>
              {t("money.reverse")}
            </MenuItem>
          </RowMenu>
        ),
    },
  ];
  return (
    <Card flush>
      <Loaded query={grants} loading={<Rows n={3} />}>
        {({ data, paging }) =>
          data.length === 0 ? (
            <Empty title={t("grants.none")} />
          ) : (
            <>
              <Table label={t("credits.tab.grants")} columns={columns} rows={data} id={(g) => g.id} />
              <Pager
                newer={page > 1 ? () => setPage(page - 1) : undefined}
                older={page * paging.pageSize < paging.total ? () => setPage(page + 1) : undefined}
              />
            </>
          )
        }
      </Loaded>
    </Card>
  );
}

function Moves({ of: h }: { of: Holder }) {
  const { t, known } = useI18n();
  const [cursors, setCursors] = useState<string[]>([]);
  const moves = useQuery({
    queryKey: ["moves", "of", h.id, cursors.at(-1)],
    queryFn: ({ signal }) =>
      api.get("/api/billing/accounts/{id}/transactions", {
        params: { id: h.id },
        query: { cursor: cursors.at(-1), pageSize: 20 },
        signal,
      }),
    placeholderData: keepPreviousData,
  });
  const columns: Column<Move>[] = [
    {
      key: "kind",
      head: t("credits.what"),
      cell: (m) => (
        <div className="min-w-0">
          {known(`move.${m.cause || m.kind}`, m.cause || m.kind)}
          <div className="text-sm break-words text-ink-3">
            <Time at={m.created_at} />
            {m.reason && ` · ${m.reason}`}
          </div>
        </div>
      ),
    },
    { key: "change", head: t("call.credits"), num: true, cell: (m) => <Amount of={m.change} signed={m.change !== "0"} /> },
  ];
  const next = moves.data?.next_cursor;
  return (
    <Card flush>
      <Loaded query={moves} loading={<Rows n={3} />}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title={t("credits.moves.none")} />
          ) : (
            <Table label={t("credits.tab.moves")} columns={columns} rows={data} id={(m) => m.id} />
          )
        }
      </Loaded>
      <Pager
        newer={cursors.length > 0 ? () => setCursors(cursors.slice(0, -1)) : undefined}
        older={next ? () => setCursors([...cursors, next]) : undefined}
      />
    </Card>
  );
}
