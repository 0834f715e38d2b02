import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { ArrowRightLeft, UsersRound } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { credits } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { Drawer, Modal } from "../ui/dialog";
import { Form, TextField } from "../ui/form";
import { Amount, Card, Facts } from "../ui/page";
import { Badge, Empty, Loaded, Note, Rows } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { useToast } from "../ui/toast";
import { Moves } from "./credits-moves";
import { Members } from "./wallet-members";

type Wallet = Answer<"/api/user/wallets">["data"][number];

/** Wallets are the shared wallets that the user may spend from, beside the own one. */
export function Wallets() {
  const { t, known } = useI18n();
  const navigate = useNavigate({ from: "/credits" });
  const search = useSearch({ from: "/inside/credits" });
  const wallets = useQuery({ queryKey: ["wallets"], queryFn: ({ signal }) => api.get("/api/user/wallets", { signal }) });
  const [giving, setGiving] = useState<Wallet>();
  const show = (w: Wallet) => navigate({ search: (old) => ({ ...old, wallet: w.name }) });
  const columns: Column<Wallet>[] = [
    {
      key: "name",
      head: t("wallets.name"),
      cell: (w) => (
        <button type="button" onClick={() => show(w)} className="text-left font-medium hover:underline">
          {w.name}
        </button>
      ),
    },
    { key: "kind", head: t("wallets.kind"), from: "md", cell: (w) => known(`wallets.kind.${w.kind}`, w.kind) },
    {
      key: "role",
      head: t("wallets.role"),
      from: "sm",
      cell: (w) => (w.manager ? <Badge kind="info">{t("wallets.manager")}</Badge> : <Badge>{t("wallets.member")}</Badge>),
    },
    { key: "available", head: t("credits.available"), num: true, cell: (w) => <Amount of={w.available} /> },
    {
      key: "give",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (w) => (
        <Button small icon={<ArrowRightLeft aria-hidden className="size-4" />} onClick={() => setGiving(w)}>
          {t("wallets.give")}
        </Button>
      ),
    },
  ];
  return (
    <>
      <Card flush>
        <Loaded query={wallets} loading={<Rows n={3} />}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty icon={<UsersRound aria-hidden className="size-5" />} title={t("wallets.none")}>
                {t("wallets.none.hint")}
              </Empty>
            ) : (
              <Table label={t("credits.tab.wallets")} columns={columns} rows={data} id={(w) => w.id} open={show} />
            )
          }
        </Loaded>
      </Card>
      <Give to={giving} onClose={() => setGiving(undefined)} />
      <WalletDrawer
        of={wallets.data?.data.find((w) => w.name === search.wallet)}
        onClose={() => navigate({ search: (old) => ({ tab: old.tab }) })}
      />
    </>
  );
}

function Give({ to, onClose }: { to: Wallet | undefined; onClose: () => void }) {
  const { t, format } = useI18n();
  const invalidate = useInvalidate();
  const say = useToast();
  // One id for one wish: asked for twice, it is done once.
  const [id, setId] = useState(() => crypto.randomUUID());
  return (
    <Modal
      open={to !== undefined}
      onClose={onClose}
      title={t("wallets.give")}
      about={to && t("wallets.give.about", { name: to.name })}
    >
      <Form
        submit={t("wallets.give")}
        onCancel={onClose}
        save={async (value) => {
          if (!to) return;
          const amount = value("amount");
          await api.post("/api/user/credit/transfer", { body: { id, wallet: to.id, amount, reason: value("reason") } });
          setId(crypto.randomUUID());
          await invalidate("wallets", "balance", "moves", "grants");
          say(t("wallets.given", { amount: credits(format, amount), name: to.name }));
          onClose();
        }}
      >
        {(fault) => (
          <>
            <TextField name="amount" label={t("call.credits")} inputMode="decimal" error={fault("amount")} required autoFocus />
            <TextField name="reason" label={t("wallets.reason")} error={fault("reason")} maxLength={500} />
          </>
        )}
      </Form>
    </Modal>
  );
}

function WalletDrawer({ of: w, onClose }: { of: Wallet | undefined; onClose: () => void }) {
  const { t, known } = useI18n();
  return (
    <Drawer open={w !== undefined} onClose={onClose} title={w?.name ?? ""} about={w && known(`wallets.kind.${w.kind}`, w.kind)}>
      {w && (
        <div className="flex flex-col gap-6">
          <Facts
            items={[
              [t("credits.available"), <Amount key="a" of={w.available} />],
              [t("credits.held"), <Amount key="h" of={w.held} />],
              w.debt !== "0" && [t("credits.debt"), <Amount key="d" of={w.debt} />],
            ]}
          />
          {w.manager ? (
            <>
              <Members id={w.name} name={w.name} />
              <section>
                <h3 className="mb-3 font-semibold">{t("credits.tab.moves")}</h3>
                <Moves wallet={w.name} />
              </section>
            </>
          ) : (
            <Note>{t("wallets.notmanager")}</Note>
          )}
        </div>
      )}
    </Drawer>
  );
}
