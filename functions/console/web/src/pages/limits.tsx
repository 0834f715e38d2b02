import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Gauge, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api } from "../api/client";
import { useInvalidate } from "../app/session";
import { credits, share } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm, Modal } from "../ui/dialog";
import { MenuItem, MenuLine, RowMenu } from "../ui/menu";
import { Card, Page, Time } from "../ui/page";
import { Badge, Empty, Loaded, Rows } from "../ui/states";
import { type Column, Pager, Table } from "../ui/table";
import { type Limit, LimitForm, metrics, oneOf, scopes, Who } from "./limit-form";

/** Limits bound what users, keys, applications and models may use in a time. */
export function Limits() {
  const { t, format, known } = useI18n();
  const navigate = useNavigate({ from: "/admin/limits" });
  const search = useSearch({ from: "/inside/admin/admin/limits" });
  const scope = oneOf(scopes, search.scope);
  const metric = oneOf(metrics, search.metric);
  const invalidate = useInvalidate();
  const [editing, setEditing] = useState<Limit | "new">();
  const [removing, setRemoving] = useState<Limit>();
  const [trail, setTrail] = useState<string[]>([]);
  const limits = useQuery({
    queryKey: ["limits", scope, metric, search.cursor],
    queryFn: ({ signal }) =>
      api.get("/api/admin/limits", { query: { scope, metric, cursor: search.cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });
  const filter = (next: { scope?: string; metric?: string }) => {
    setTrail([]);
    navigate({ search: { scope, metric, ...next, cursor: undefined } });
  };
  const amount = (l: Limit, n: string) =>
    l.metric === "credits" ? credits(format, n) : new Intl.NumberFormat(format.locale).format(BigInt(n));
  const columns: Column<Limit>[] = [
    { key: "who", head: t("limits.who"), cell: (l) => <Who limit={l} /> },
    {
      key: "what",
      head: t("limits.what"),
      cell: (l) => (
        <div className="whitespace-nowrap">
          {amount(l, l.amount)} <span className="text-ink-3">{known(`limits.unit.${l.metric}`, l.metric)}</span>
          {l.metric !== "concurrency" && <div className="text-sm text-ink-3">{known(`limits.per.${l.period}`, l.period)}</div>}
          <div className="mt-1 sm:hidden">
            <Use limit={l} amount={amount(l, l.used)} />
          </div>
        </div>
      ),
    },
    {
      key: "used",
      head: t("limits.used"),
      from: "sm",
      className: "w-56",
      cell: (l) => <Use limit={l} amount={amount(l, l.used)} />,
    },
    { key: "ends", head: t("limits.anew"), from: "md", cell: (l) => (l.ends ? <Time at={l.ends} /> : "–") },
    {
      key: "menu",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (l) => (
        <RowMenu label={t("action.menu.of", { name: l.name || l.subject })}>
          <MenuItem onClick={() => setEditing(l)}>{t("limits.edit")}</MenuItem>
          <MenuLine />
          <MenuItem danger icon={<Trash2 aria-hidden className="size-4" />} onClick={() => setRemoving(l)}>
            {t("action.remove")}
          </MenuItem>
        </RowMenu>
      ),
    },
  ];
  const next = limits.data?.next_cursor;
  return (
    <Page
      title={t("nav.limits")}
      about={t("limits.about")}
      actions={
        <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => setEditing("new")}>
          {t("limits.add")}
        </Button>
      }
    >
      <div className="flex flex-wrap gap-2">
        <select
          aria-label={t("limits.scope")}
          className="input !w-auto"
          value={scope ?? ""}
          onChange={(e) => filter({ scope: e.target.value || undefined })}
        >
          <option value="">{t("limits.scope.all")}</option>
          {scopes.map((s) => (
            <option key={s} value={s}>
              {t(`limits.scope.${s}`)}
            </option>
          ))}
        </select>
        <select
          aria-label={t("limits.metric")}
          className="input !w-auto"
          value={metric ?? ""}
          onChange={(e) => filter({ metric: e.target.value || undefined })}
        >
          <option value="">{t("limits.metric.all")}</option>
          {metrics.map((m) => (
            <option key={m} value={m}>
              {t(`limits.metric.${m}`)}
            </option>
          ))}
        </select>
      </div>
      <Card flush>
        <Loaded query={limits} loading={<Rows />}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty
                icon={<Gauge aria-hidden className="size-5" />}
                title={scope || metric ? t("limits.none.found") : t("limits.none")}
              >
                {!scope && !metric && t("limits.none.hint")}
              </Empty>
            ) : (
              <Table label={t("nav.limits")} columns={columns} rows={data} id={(l) => l.id} open={setEditing} />
            )
          }
        </Loaded>
        <Pager
          newer={
            search.cursor
              ? () => {
                  navigate({ search: { scope, metric, cursor: trail.at(-2) } });
                  setTrail((old) => old.slice(0, -1));
                }
              : undefined
          }
          older={
            next
              ? () => {
                  navigate({ search: { scope, metric, cursor: next } });
                  setTrail((old) => [...old, next]);
                }
              : undefined
          }
        />
      </Card>
      <Modal
        open={editing !== undefined}
        onClose={() => setEditing(undefined)}
        title={editing === "new" ? t("limits.add") : t("limits.edit")}
        about={t("limits.works")}
      >
        {editing && (
          <LimitForm
            limit={editing === "new" ? undefined : editing}
            onClose={() => setEditing(undefined)}
            saved={() => invalidate("limits", "keys")}
          />
        )}
      </Modal>
      <Confirm
        open={removing !== undefined}
        onClose={() => setRemoving(undefined)}
        title={t("limits.remove.title")}
        consequences={t("limits.remove.consequences")}
        action={t("action.remove")}
        act={async () => {
          await api.delete("/api/admin/limits/{id}", { params: { id: removing?.id ?? "" } });
          await invalidate("limits", "keys");
        }}
      />
    </Page>
  );
}

/** Use is how much of a limit is used, by whoever uses most. */
function Use({ limit, amount }: { limit: Limit; amount: string }) {
  const t = useT();
  const full = share(limit.used, limit.amount);
  return (
    <div className="min-w-24">
      <div className="flex items-center justify-between gap-2 text-sm">
        <span className="tabular-nums">{amount}</span>
        {full >= 100 ? (
          <Badge kind="danger">{t("limits.full")}</Badge>
        ) : (
          full >= 80 && <Badge kind="warn">{t("limits.near")}</Badge>
        )}
      </div>
      <progress max={100} value={full} aria-label={t("limits.used")} className="mt-1 w-full" />
      {limit.subject.endsWith("*") && limit.counted > 1 && (
        <p className="mt-1 text-sm whitespace-normal text-ink-3">{t("limits.most", { n: limit.counted })}</p>
      )}
    </div>
  );
}
