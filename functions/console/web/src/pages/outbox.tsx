import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { RefreshCw, Send } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { count } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Drawer, Modal } from "../ui/dialog";
import { Form, TextField } from "../ui/form";
import { Listing } from "../ui/listing";
import { Amount, Card, Facts, Mono, Page, Stat, Time } from "../ui/page";
import { Badge, Note, Skeleton, useFault } from "../ui/states";
import type { Column } from "../ui/table";
import { Tabs } from "../ui/tabs";
import { useToast } from "../ui/toast";

type Report = Answer<"/api/billing/outbox">["data"][number];
const states = ["dead", "pending", "sent", "confirmed"] as const;
type State = (typeof states)[number];
const looks = { dead: "danger", pending: "info", sent: "warn", confirmed: "ok" } as const;

/** Outbox is usage on its way to Payment Kit, and what was refused there. */
export function Outbox() {
  const { t, tn, format } = useI18n();
  const say = useToast();
  const fault = useFault();
  const navigate = useNavigate({ from: "/admin/outbox" });
  const search = useSearch({ from: "/inside/admin/admin/outbox" });
  const invalidate = useInvalidate();
  const [dropping, setDropping] = useState<Report>();
  const [busy, setBusy] = useState(false);
  const state: State = states.find((s) => s === search.state) ?? "dead";
  const outbox = useQuery({
    queryKey: ["outbox", state, search.cursor],
    queryFn: ({ signal }) => api.get("/api/billing/outbox", { query: { state, cursor: search.cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });
  const o = outbox.data;
  async function resend(id: string | undefined) {
    setBusy(true);
    try {
      const { resent } = await api.post("/api/billing/outbox/resend", { body: { id: id ?? "", all: id === undefined } });
      await invalidate("outbox");
      say(tn("outbox.resent", resent));
    } catch (thrown) {
      say(fault(thrown), true);
    } finally {
      setBusy(false);
    }
  }
  const show = (report: string | undefined) => navigate({ search: (old) => ({ ...old, report }) });
  const columns: Column<Report>[] = [
    {
      key: "user",
      head: t("call.user"),
      cell: (r) => (
        <div className="min-w-0">
          <button type="button" onClick={() => show(r.id)} className="text-left font-medium break-all hover:underline">
            {r.email}
          </button>
          {r.error && <div className="line-clamp-2 text-sm break-words text-danger">{r.error}</div>}
        </div>
      ),
    },
    { key: "calls", head: t("nav.calls"), num: true, from: "md", cell: (r) => count(format, r.calls) },
    { key: "amount", head: t("call.credits"), num: true, cell: (r) => <Amount of={r.amount} /> },
    { key: "tries", head: t("outbox.tries"), num: true, from: "sm", cell: (r) => count(format, r.attempts) },
    { key: "at", head: t("keys.created"), from: "lg", cell: (r) => <Time at={r.created_at} /> },
    {
      key: "state",
      head: t("keys.state"),
      from: "md",
      cell: (r) =>
        r.dropped_at ? (
          <Badge>{t("outbox.dropped")}</Badge>
        ) : (
          <Badge kind={looks[r.state as State]}>
            {r.state === "dead" ? t("notes.state.dead") : t(`outbox.${r.state as State}`)}
          </Badge>
        ),
    },
    {
      key: "do",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      from: "sm",
      cell: (r) =>
        r.state === "dead" && (
          <span className="inline-flex gap-2">
            <Button small busy={busy} onClick={() => resend(r.id)}>
              {t("outbox.resend")}
            </Button>
            <Button small onClick={() => setDropping(r)}>
              {t("outbox.drop")}
            </Button>
          </span>
        ),
    },
  ];
  const chosen = o?.data.find((r) => r.id === search.report);
  return (
    <Page
      title={t("nav.outbox")}
      about={t("outbox.about")}
      actions={
        (o?.dead ?? 0) > 0 && (
          <Button busy={busy} icon={<RefreshCw aria-hidden className="size-4" />} onClick={() => resend(undefined)}>
            {t("outbox.resend.all")}
          </Button>
        )
      }
    >
      {o && !o.on && <Note>{t("outbox.off")}</Note>}
      <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
        <Stat
          label={t("outbox.unconfirmed")}
          note={
            o?.oldest ? (
              <span>
                {t("outbox.oldest")} <Time at={o.oldest} />
              </span>
            ) : undefined
          }
        >
          {o ? <Amount of={o.unconfirmed} /> : <Skeleton className="mt-2 h-6 w-24" />}
        </Stat>
        <Stat
          label={t("outbox.waiting")}
          note={
            o && (
              <>
                <Amount of={o.calls_amount} /> {t("call.credits")}
              </>
            )
          }
        >
          {o ? count(format, o.calls) : <Skeleton className="mt-2 h-6 w-16" />}
        </Stat>
        <Stat label={t("outbox.under.way")}>
          {o ? count(format, o.pending + o.sent) : <Skeleton className="mt-2 h-6 w-16" />}
        </Stat>
        <Stat label={t("outbox.dead")}>
          {o ? (
            <span className={o.dead > 0 ? "text-danger" : ""}>{count(format, o.dead)}</span>
          ) : (
            <Skeleton className="mt-2 h-6 w-16" />
          )}
        </Stat>
      </div>
      <Tabs
        label={t("nav.outbox")}
        value={state}
        onChange={(next) => navigate({ search: { state: next === "dead" ? undefined : next } })}
        tabs={states.map((s) => [s, t(`outbox.${s}`)] as const)}
      >
        <Card flush>
          <Listing
            query={outbox}
            label={t("nav.outbox")}
            columns={columns}
            id={(r) => r.id}
            open={(r) => show(r.id)}
            icon={<Send aria-hidden className="size-5" />}
            none={t(`outbox.none.${state}`)}
          />
        </Card>
      </Tabs>
      <Drawer open={chosen !== undefined} onClose={() => show(undefined)} title={t("outbox.one")} about={chosen?.email}>
        {chosen && <Whole of={chosen} resend={() => resend(chosen.id)} drop={() => setDropping(chosen)} busy={busy} />}
      </Drawer>
      <Modal
        open={dropping !== undefined}
        onClose={() => setDropping(undefined)}
        title={t("outbox.drop.title")}
        about={dropping && t("outbox.drop.about", { email: dropping.email, amount: dropping.amount })}
      >
        {dropping && (
          <Form
            danger
            submit={t("outbox.drop")}
            onCancel={() => setDropping(undefined)}
            save={async (value) => {
              await api.post("/api/billing/outbox/drop", { body: { id: dropping.id, reason: value("reason") } });
              await invalidate("outbox");
              say(t("outbox.dropped.done"));
              setDropping(undefined);
            }}
          >
            {(fault) => (
              <>
                <Note kind="warn">{t("outbox.drop.consequences")}</Note>
                <TextField
                  name="reason"
                  label={t("rates.reason")}
                  hint={t("money.reason.audit")}
                  error={fault("reason")}
                  required
                />
              </>
            )}
          </Form>
        )}
      </Modal>
    </Page>
  );
}

function Whole({ of: r, resend, drop, busy }: { of: Report; resend: () => void; drop: () => void; busy: boolean }) {
  const t = useT();
  return (
    <div className="flex flex-col gap-6">
      {r.error && (
        <Note kind={r.state === "dead" ? "danger" : "warn"}>
          <span className="font-medium">{t("outbox.why")}</span> {r.error}
        </Note>
      )}
      <Facts
        items={[
          [t("call.user"), r.email],
          ["DID", <Mono key="d">{r.did || "–"}</Mono>],
          [t("call.app"), <Mono key="a">{r.app_id || "–"}</Mono>],
          [t("nav.calls"), String(r.calls)],
          [t("call.credits"), <Amount key="c" of={r.amount} />],
          [t("outbox.tries"), String(r.attempts)],
          [t("keys.created"), <Time key="t" at={r.created_at} exact />],
          (r.state === "pending" || r.state === "sent") && [t("outbox.next"), <Time key="n" at={r.next_try} exact />],
          r.dropped_at !== null && [t("outbox.dropped"), <Time key="x" at={r.dropped_at} exact />],
          [t("outbox.id"), <Mono key="i">{r.id}</Mono>],
        ]}
      />
      {r.state === "dead" && (
        <div className="flex gap-2">
          <Button look="primary" busy={busy} onClick={resend}>
            {t("outbox.resend")}
          </Button>
          <Button onClick={drop}>{t("outbox.drop")}</Button>
        </div>
      )}
    </div>
  );
}
