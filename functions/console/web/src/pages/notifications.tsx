import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Bell } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { useI18n, useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Drawer } from "../ui/dialog";
import { Listing } from "../ui/listing";
import { Card, Facts, Mono, Page, Time } from "../ui/page";
import { Badge, useFault } from "../ui/states";
import type { Column } from "../ui/table";
import { Tabs } from "../ui/tabs";
import { useToast } from "../ui/toast";
import { Data, Severity } from "./alerts";
import { MailChoice } from "./mail-choice";
import { useWebhooks, Webhooks } from "./webhooks";

type Notification = Answer<"/api/admin/notifications">["data"][number];
type Delivery = Notification["deliveries"][number];
const tabs = ["told", "webhooks", "email"] as const;

/** Notifications are what operators and users were told, and where it goes. */
export function Notifications() {
  const t = useT();
  const navigate = useNavigate({ from: "/admin/notifications" });
  const search = useSearch({ from: "/inside/admin/admin/notifications" });
  const tab = tabs.find((x) => x === search.tab) ?? "told";
  return (
    <Page title={t("nav.notifications")} about={t("notes.about")}>
      <Tabs
        label={t("nav.notifications")}
        value={tab}
        onChange={(next) => navigate({ search: { tab: next === "told" ? undefined : next } })}
        tabs={tabs.map((x) => [x, t(`notes.tab.${x}`)] as const)}
      >
        {tab === "told" ? <Told /> : tab === "webhooks" ? <Webhooks /> : <MailChoice />}
      </Tabs>
    </Page>
  );
}

const looks = { sent: "ok", pending: "info", dead: "danger" } as const;

function State({ of: d }: { of: Delivery }) {
  const { known } = useI18n();
  return <Badge kind={looks[d.state as keyof typeof looks]}>{known(`notes.state.${d.state}`, d.state)}</Badge>;
}

function Told() {
  const { t, known } = useI18n();
  const navigate = useNavigate({ from: "/admin/notifications" });
  const search = useSearch({ from: "/inside/admin/admin/notifications" });
  const told = useQuery({
    queryKey: ["notifications", search.cursor],
    queryFn: ({ signal }) => api.get("/api/admin/notifications", { query: { cursor: search.cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });
  const show = (note: string | undefined) => navigate({ search: (old) => ({ ...old, note }) });
  const columns: Column<Notification>[] = [
    {
      key: "title",
      head: t("notes.one"),
      cell: (n) => (
        <div className="min-w-0">
          <button type="button" onClick={() => show(n.id)} className="text-left font-medium break-words hover:underline">
            {n.title}
          </button>
          <div className="text-sm text-ink-3">
            {known(`kind.${n.kind}`, n.kind)} · <Time at={n.created_at} />
          </div>
        </div>
      ),
    },
    { key: "severity", head: t("alerts.severity"), from: "md", cell: (n) => <Severity of={n.severity} /> },
    { key: "to", head: t("notes.deliveries"), from: "sm", cell: (n) => <Sum of={n.deliveries} /> },
  ];
  const chosen = told.data?.data.find((n) => n.id === search.note);
  return (
    <Card flush>
      <Listing
        query={told}
        label={t("nav.notifications")}
        columns={columns}
        id={(n) => n.id}
        open={(n) => show(n.id)}
        icon={<Bell aria-hidden className="size-5" />}
        none={t("notes.none")}
        hint={t("notes.none.hint")}
      />
      <Drawer open={chosen !== undefined} onClose={() => show(undefined)} title={chosen?.title ?? ""}>
        {chosen && <Whole of={chosen} />}
      </Drawer>
    </Card>
  );
}

/** Sum says in short how far a notification got. */
function Sum({ of: all }: { of: Delivery[] }) {
  const t = useT();
  const n = (state: string) => all.filter((d) => d.state === state).length;
  if (all.length === 0) return <span className="text-ink-3">{t("notes.nowhere")}</span>;
  return (
    <span className="flex flex-wrap gap-1">
      {(["sent", "pending", "dead"] as const).map(
        (state) =>
          n(state) > 0 && (
            <Badge key={state} kind={looks[state]}>
              {t(`notes.state.${state}`)} {n(state)}
            </Badge>
          ),
      )}
    </span>
  );
}

function Whole({ of: n }: { of: Notification }) {
  const { t, known } = useI18n();
  const say = useToast();
  const fault = useFault();
  const invalidate = useInvalidate();
  const hooks = useWebhooks();
  const [busy, setBusy] = useState(false);
  async function resend() {
    setBusy(true);
    try {
      await api.post("/api/admin/notifications/{id}/resend", { params: { id: n.id } });
      await invalidate("notifications");
      say(t("notes.resent"));
    } catch (thrown) {
      say(fault(thrown), true);
    } finally {
      setBusy(false);
    }
  }
  const address = (d: Delivery) =>
    d.channel === "webhook" ? (hooks.data?.data.find((h) => h.id === d.address)?.url ?? d.address) : d.address;
  return (
    <div className="flex flex-col gap-6">
      <Facts
        items={[
          [t("notes.kind"), known(`kind.${n.kind}`, n.kind)],
          [t("alerts.severity"), <Severity key="s" of={n.severity} />],
          [t("call.at"), <Time key="t" at={n.created_at} exact />],
        ]}
      />
      <Data of={n.data} />
      <section>
        <div className="mb-2 flex items-center justify-between gap-3">
          <h3 className="font-semibold">{t("notes.deliveries")}</h3>
          {n.deliveries.some((d) => d.state === "dead") && (
            <Button small busy={busy} onClick={resend}>
              {t("notes.resend")}
            </Button>
          )}
        </div>
        {n.deliveries.length === 0 ? (
          <p className="text-ink-3">{t("notes.nowhere.hint")}</p>
        ) : (
          <ul className="divide-y divide-line rounded-lg border border-line">
            {n.deliveries.map((d) => (
              <li key={`${d.channel} ${d.address}`} className="px-3 py-2">
                <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
                  <span className="min-w-0 flex-1">
                    <Mono>{address(d)}</Mono>
                  </span>
                  <State of={d} />
                </div>
                <p className="text-sm text-ink-3">
                  {t(d.channel === "webhook" ? "notes.webhook" : "notes.email")} · {t("notes.attempts", { n: d.attempts })}
                </p>
                {d.error && <p className="text-sm break-words text-danger">{d.error}</p>}
              </li>
            ))}
          </ul>
        )}
      </section>
    </div>
  );
}
