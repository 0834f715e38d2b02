import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { BellRing, ShieldCheck } from "lucide-react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { useI18n, useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Drawer } from "../ui/dialog";
import { Card, Facts, Mono, Page, Time } from "../ui/page";
import { Badge, Empty, Loaded, Rows, useFault } from "../ui/states";
import { type Column, Pager, Table } from "../ui/table";
import { Tabs } from "../ui/tabs";
import { useToast } from "../ui/toast";
import { AlertRules } from "./alert-rules";

type Alert = Answer<"/api/admin/alerts">["data"][number];
const tabs = ["open", "all", "rules"] as const;

export const severity = { info: "info", warning: "warn", error: "danger" } as const;

/** Alerts are what is wrong now, what was, and by which rules. */
export function Alerts() {
  const t = useT();
  const navigate = useNavigate({ from: "/admin/alerts" });
  const search = useSearch({ from: "/inside/admin/admin/alerts" });
  const tab = tabs.find((x) => x === search.tab) ?? "open";
  return (
    <Page title={t("nav.alerts")} about={t("alerts.about")}>
      <Tabs
        label={t("nav.alerts")}
        value={tab}
        onChange={(next) => navigate({ search: { tab: next === "open" ? undefined : next } })}
        tabs={tabs.map((x) => [x, t(`alerts.tab.${x}`)] as const)}
      >
        {tab === "rules" ? <AlertRules /> : <List key={tab} open={tab === "open"} />}
      </Tabs>
    </Page>
  );
}

function List({ open }: { open: boolean }) {
  const { t, known } = useI18n();
  const say = useToast();
  const fault = useFault();
  const router = useRouter();
  const navigate = useNavigate({ from: "/admin/alerts" });
  const search = useSearch({ from: "/inside/admin/admin/alerts" });
  const invalidate = useInvalidate();
  const alerts = useQuery({
    queryKey: ["alerts", open, search.cursor],
    queryFn: ({ signal }) =>
      api.get("/api/admin/alerts", {
        query: open ? { state: "open" } : { state: "all", cursor: search.cursor, pageSize: 50 },
        signal,
      }),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });
  async function acknowledge(a: Alert) {
    try {
      await api.post("/api/admin/alerts/{id}/acknowledge", { params: { id: a.id } });
      await invalidate("alerts");
      say(t("alerts.acknowledged.done"));
    } catch (thrown) {
      say(fault(thrown), true);
    }
  }
  const show = (alert: string | undefined) => navigate({ search: (old) => ({ ...old, alert }) });
  const columns: Column<Alert>[] = [
    {
      key: "title",
      head: t("alerts.one"),
      cell: (a) => (
        <div className="min-w-0">
          <button type="button" onClick={() => show(a.id)} className="text-left font-medium break-words hover:underline">
            {a.title}
          </button>
          <div className="text-sm break-all text-ink-3">
            {known(`alerts.rule.${a.rule}`, a.rule)}
            {a.subject && ` · ${a.subject}`}
          </div>
        </div>
      ),
    },
    {
      key: "severity",
      head: t("alerts.severity"),
      from: "sm",
      cell: (a) => <Severity of={a.severity} />,
    },
    { key: "since", head: t("alerts.raised"), from: "md", cell: (a) => <Time at={a.raised_at} /> },
    {
      key: "state",
      head: t("keys.state"),
      from: "sm",
      cell: (a) =>
        a.resolved_at ? (
          <Badge kind="ok">{t("alerts.resolved")}</Badge>
        ) : a.acknowledged_at ? (
          <Badge kind="info">{t("alerts.acknowledged")}</Badge>
        ) : (
          <Badge kind="danger">{t("alerts.open")}</Badge>
        ),
    },
    {
      key: "do",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (a) =>
        !a.resolved_at &&
        !a.acknowledged_at && (
          <Button small onClick={() => acknowledge(a)}>
            {t("alerts.acknowledge")}
          </Button>
        ),
    },
  ];
  const next = open ? undefined : alerts.data?.next_cursor;
  const chosen = alerts.data?.data.find((a) => a.id === search.alert);
  return (
    <Card flush>
      <Loaded query={alerts} loading={<Rows />}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty
              icon={open ? <ShieldCheck aria-hidden className="size-5 text-ok" /> : <BellRing aria-hidden className="size-5" />}
              title={open ? t("alerts.none.open") : t("alerts.none")}
            >
              {t("alerts.none.hint")}
            </Empty>
          ) : (
            <Table label={t("nav.alerts")} columns={columns} rows={data} id={(a) => a.id} open={(a) => show(a.id)} />
          )
        }
      </Loaded>
      <Pager
        newer={!open && search.cursor ? () => router.history.back() : undefined}
        older={next ? () => navigate({ search: (old) => ({ ...old, cursor: next }) }) : undefined}
      />
      <Drawer
        open={chosen !== undefined}
        onClose={() => show(undefined)}
        title={chosen?.title ?? ""}
        about={chosen && known(`alerts.rule.${chosen.rule}`, chosen.rule)}
      >
        {chosen && (
          <div className="flex flex-col gap-6">
            <Facts
              items={[
                [t("alerts.severity"), <Severity key="s" of={chosen.severity} />],
                chosen.subject !== "" && [t("audit.subject"), <Mono key="u">{chosen.subject}</Mono>],
                [t("alerts.raised"), <Time key="r" at={chosen.raised_at} exact />],
                [t("alerts.seen"), <Time key="l" at={chosen.seen_at} exact />],
                chosen.resolved_at !== null && [t("alerts.resolved"), <Time key="o" at={chosen.resolved_at} exact />],
                chosen.acknowledged_at !== null && [
                  t("alerts.acknowledged"),
                  <span key="a">
                    {chosen.acknowledged_by} · <Time at={chosen.acknowledged_at} exact />
                  </span>,
                ],
              ]}
            />
            <Data of={chosen.data} />
            {!chosen.resolved_at && !chosen.acknowledged_at && (
              <Button look="primary" className="self-start" onClick={() => acknowledge(chosen)}>
                {t("alerts.acknowledge")}
              </Button>
            )}
          </div>
        )}
      </Drawer>
    </Card>
  );
}

export function Severity({ of }: { of: string }) {
  const { known } = useI18n();
  return <Badge kind={severity[of as keyof typeof severity]}>{known(`severity.${of}`, of)}</Badge>;
}

/** Data shows what the hub says about an event, by its own names. */
export function Data({ of }: { of: unknown }) {
  const t = useT();
  const fields = Object.entries((of ?? {}) as Record<string, unknown>);
  if (fields.length === 0) return null;
  return (
    <section>
      <h3 className="mb-2 font-semibold">{t("alerts.data")}</h3>
      <Facts
        items={fields.map(
          ([name, value]) => [name, <Mono key={name}>{typeof value === "string" ? value : JSON.stringify(value)}</Mono>] as const,
        )}
      />
    </section>
  );
}
