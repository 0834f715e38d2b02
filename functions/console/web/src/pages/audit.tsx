import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Download, ScrollText } from "lucide-react";
import { type Answer, address, api } from "../api/client";
import { useT } from "../lib/i18n";
import { Button, buttonClass } from "../ui/button";
import { Drawer } from "../ui/dialog";
import { TextField } from "../ui/form";
import { Listing } from "../ui/listing";
import { Card, Facts, Mono, Page, Time } from "../ui/page";
import type { Column } from "../ui/table";
import { AuditProof } from "./audit-proof";

type Act = Answer<"/api/admin/audit">["data"][number];

const instant = (day: string | undefined, end: boolean): string | undefined => {
  if (!day) return undefined;
  const at = new Date(`${day}T00:00:00`);
  if (Number.isNaN(at.getTime())) return undefined;
  if (end) at.setDate(at.getDate() + 1);
  return at.toISOString();
};

/** Audit is who did what, with what it was before and after. */
export function Audit() {
  const t = useT();
  const navigate = useNavigate({ from: "/admin/audit" });
  const search = useSearch({ from: "/inside/admin/admin/audit" });
  const filter = {
    actor: search.actor,
    action: search.action,
    subject: search.subject,
    from: instant(search.from, false),
    until: instant(search.until, true),
  };
  const query = { ...filter, cursor: search.cursor, pageSize: 50 };
  const acts = useQuery({
    queryKey: ["audit", query],
    queryFn: ({ signal }) => api.get("/api/admin/audit", { query: query, signal }),
    placeholderData: keepPreviousData,
  });
  const show = (a: Act) => navigate({ search: (old) => ({ ...old, act: a.id }) });
  const columns: Column<Act>[] = [
    { key: "at", head: t("call.at"), cell: (a) => <Time at={a.at} />, from: "sm" },
    {
      key: "action",
      head: t("audit.action"),
      cell: (a) => (
        <div>
          <button type="button" onClick={() => show(a)} className="font-mono text-[13px] font-medium hover:underline">
            {a.action}
          </button>
          <div className="text-sm text-ink-3 sm:hidden">
            <Time at={a.at} />
          </div>
        </div>
      ),
    },
    { key: "actor", head: t("audit.actor"), cell: (a) => <span className="break-all">{a.actor}</span> },
    { key: "subject", head: t("audit.subject"), from: "md", cell: (a) => <span className="break-all">{a.subject}</span> },
    { key: "address", head: t("audit.address"), from: "lg", cell: (a) => a.address || "–" },
  ];
  const filtered = Boolean(search.actor || search.action || search.subject || search.from || search.until);
  const chosen = acts.data?.data.find((a) => a.id === search.act);
  return (
    <Page
      title={t("nav.audit")}
      about={t("audit.about")}
      actions={
        <>
          <AuditProof />
          <a href={address("/api/admin/audit/export", {}, { ...filter, format: "csv" })} download className={buttonClass()}>
            <Download aria-hidden className="size-4" />
            {t("action.export")}
          </a>
        </>
      }
    >
      <form
        key={JSON.stringify(filter)}
        className="grid grid-cols-2 items-end gap-3 sm:grid-cols-3 lg:grid-cols-[repeat(5,1fr)_auto]"
        onSubmit={(e) => {
          e.preventDefault();
          const data = new FormData(e.currentTarget);
          const value = (name: string) => String(data.get(name) ?? "").trim() || undefined;
          void navigate({
            search: {
              actor: value("actor"),
              action: value("action"),
              subject: value("subject"),
              from: value("from"),
              until: value("until"),
            },
          });
        }}
      >
        <TextField name="actor" label={t("audit.actor")} defaultValue={search.actor} />
        <TextField name="action" label={t("audit.action")} defaultValue={search.action} placeholder="key.create" />
        <TextField name="subject" label={t("audit.subject")} defaultValue={search.subject} />
        <TextField name="from" type="date" label={t("filter.from")} defaultValue={search.from} />
        <TextField name="until" type="date" label={t("filter.until")} defaultValue={search.until} />
        <span className="flex gap-2">
          <Button type="submit">{t("filter.apply")}</Button>
          {filtered && (
            <Button look="quiet" onClick={() => navigate({ search: {} })}>
              {t("filter.clear")}
            </Button>
          )}
        </span>
      </form>
      <Card flush>
        <Listing
          query={acts}
          label={t("nav.audit")}
          columns={columns}
          id={(a) => a.id}
          open={show}
          icon={<ScrollText aria-hidden className="size-5" />}
          none={t("filter.nothing")}
          hint={t("filter.nothing.hint")}
        />
      </Card>
      <Drawer
        open={chosen !== undefined}
        onClose={() => navigate({ search: (old) => ({ ...old, act: undefined }) })}
        title={chosen?.action ?? ""}
        about={chosen && <Time at={chosen.at} exact />}
      >
        {chosen && <Whole act={chosen} />}
      </Drawer>
    </Page>
  );
}

function Whole({ act }: { act: Act }) {
  const t = useT();
  const before = (act.before ?? {}) as Record<string, unknown>;
  const after = (act.after ?? {}) as Record<string, unknown>;
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const words = (value: unknown) =>
    value === undefined || value === null ? "–" : typeof value === "string" ? value : JSON.stringify(value);
  return (
    <div className="flex flex-col gap-6">
      <Facts
        items={[
          [t("audit.actor"), act.actor],
          [t("audit.subject"), <Mono key="s">{act.subject}</Mono>],
          !!act.address && [t("audit.address"), act.address],
          !!act.request_id && [t("call.request"), <Mono key="r">{act.request_id}</Mono>],
          [t("audit.number"), String(act.number)],
          [t("audit.hash"), <Mono key="h">{act.hash}</Mono>],
        ]}
      />
      {names.length > 0 && (
        <section>
          <h3 className="mb-2 font-semibold">{t("audit.changes")}</h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
          <section aria-label={t("audit.changes")} tabIndex={0} className="overflow-x-auto rounded-lg border border-line">
            <table className="w-full">
              <thead>
                <tr className="border-b border-line text-left text-sm text-ink-3">
                  <th scope="col" className="px-3 py-1.5 font-medium">
                    {t("audit.field")}
                  </th>
                  <th scope="col" className="px-3 py-1.5 font-medium">
                    {t("proposals.before")}
                  </th>
                  <th scope="col" className="px-3 py-1.5 font-medium">
                    {t("proposals.after")}
                  </th>
                </tr>
              </thead>
              <tbody>
                {names.map((name) => (
                  <tr key={name} className="border-b border-line align-top last:border-0">
                    <td className="px-3 py-1.5 text-ink-2">{name}</td>
                    <td className="px-3 py-1.5">
                      <Mono>{words(before[name])}</Mono>
                    </td>
                    <td className="px-3 py-1.5">
                      <Mono>{words(after[name])}</Mono>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        </section>
      )}
    </div>
  );
}
