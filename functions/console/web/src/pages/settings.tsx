import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type Answer, api } from "../api/client";
import { useT } from "../lib/i18n";
import { Filters, Pick, Search } from "../ui/filters";
import { Card, Mono, Page } from "../ui/page";
import { Badge, Empty, Loaded, Note, Rows } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { Tabs } from "../ui/tabs";
import { CaptureRules } from "./capture-rules";

type Setting = Answer<"/api/admin/settings">["data"][number];

/** Settings are what can be changed while the hub runs, and what it was started with. */
export function Settings() {
  const t = useT();
  const navigate = useNavigate({ from: "/admin/settings" });
  const search = useSearch({ from: "/inside/admin/admin/settings" });
  const tab = search.tab === "start" ? "start" : "capture";
  return (
    <Page title={t("nav.settings")} about={t("settings.about")}>
      <Tabs
        label={t("nav.settings")}
        value={tab}
        onChange={(next) => navigate({ search: { tab: next === "capture" ? undefined : next } })}
        tabs={[
          ["capture", t("settings.tab.capture")],
          ["start", t("settings.tab.start")],
        ]}
      >
        {tab === "capture" ? <Running /> : <Started />}
      </Tabs>
    </Page>
  );
}

/** Running is what can be changed at once. */
function Running() {
  const t = useT();
  return (
    <div className="flex flex-col gap-5">
      <CaptureRules />
      <Card title={t("settings.elsewhere")}>
        <ul className="flex flex-col gap-1.5">
          {(
            [
              ["/admin/notifications?tab=email", "settings.elsewhere.mail"],
              ["/admin/alerts?tab=rules", "settings.elsewhere.alerts"],
              ["/admin/limits", "settings.elsewhere.limits"],
              ["/admin/users?tab=invitations", "settings.elsewhere.people"],
            ] as const
          ).map(([to, label]) => {
            const [path = "", query = ""] = to.split("?");
            return (
              <li key={to}>
                <Link
                  to={path}
                  search={Object.fromEntries(new URLSearchParams(query)) as never}
                  className="text-accent underline-offset-2 hover:underline"
                >
                  {t(label)}
                </Link>
              </li>
            );
          })}
        </ul>
      </Card>
    </div>
  );
}

/** Started are the settings of the environment and the command line. */
function Started() {
  const t = useT();
  const navigate = useNavigate({ from: "/admin/settings" });
  const search = useSearch({ from: "/inside/admin/admin/settings" });
  const settings = useQuery({ queryKey: ["settings"], queryFn: ({ signal }) => api.get("/api/admin/settings", { signal }) });
  const part = (search.q ?? "").toLowerCase();
  const fits = (s: Setting) =>
    (search.state !== "given" || s.given) && (part === "" || `${s.name} ${s.doc}`.toLowerCase().includes(part));
  const columns: Column<Setting>[] = [
    {
      key: "name",
      head: t("settings.name"),
      cell: (s) => (
        <div className="min-w-0 max-w-lg">
          <Mono>{s.name}</Mono>
          <div className="text-sm break-words text-ink-3">{s.doc}</div>
          <div className="mt-1 sm:hidden">
            <Value of={s} />
          </div>
        </div>
      ),
    },
    {
      key: "value",
      head: t("settings.value"),
      from: "sm",
      cell: (s) => <Value of={s} />,
    },
    {
      key: "from",
      head: t("settings.from"),
      from: "md",
      cell: (s) => (s.given ? <Badge kind="info">{t("settings.given")}</Badge> : <Badge>{t("settings.default")}</Badge>),
    },
  ];
  return (
    <div>
      <div className="mb-4">
        <Note>{t("settings.start.note")}</Note>
      </div>
      <Filters>
        <Search label={t("settings.search")} value={search.q} onSearch={(q) => navigate({ search: (old) => ({ ...old, q }) })} />
        <Pick
          label={t("settings.from")}
          value={search.state}
          onPick={(state) => navigate({ search: (old) => ({ ...old, state }) })}
          options={[
            ["", t("settings.all")],
            ["given", t("settings.only.given")],
          ]}
        />
      </Filters>
      <Card flush>
        <Loaded query={settings} loading={<Rows n={12} />}>
          {({ data }) => {
            const rows = data.filter(fits);
            return rows.length === 0 ? (
              <Empty title={t("filter.nothing")}>{t("filter.nothing.hint")}</Empty>
            ) : (
              <Table label={t("settings.tab.start")} columns={columns} rows={rows} id={(s) => s.name} />
            );
          }}
        </Loaded>
      </Card>
    </div>
  );
}

function Value({ of: s }: { of: Setting }) {
  const t = useT();
  if (s.secret) return <Badge kind={s.given ? "ok" : undefined}>{s.given ? t("settings.secret") : t("settings.unset")}</Badge>;
  if (s.given) return <Mono>{s.value}</Mono>;
  return (
    <span className="text-ink-3">
      <Mono>{s.default || "–"}</Mono>
    </span>
  );
}
