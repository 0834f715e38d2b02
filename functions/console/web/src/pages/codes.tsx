import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Download, Plus, Ticket } from "lucide-react";
import { useState } from "react";
import { type Answer, address, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { count, date } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Button, buttonClass } from "../ui/button";
import { Code } from "../ui/copy";
import { Confirm, Modal } from "../ui/dialog";
import { Filters, Pick, Search } from "../ui/filters";
import { Form, SelectField, TextField } from "../ui/form";
import { CursorPager } from "../ui/listing";
import { Amount, Card, Mono, Page, Time } from "../ui/page";
import { Badge, Empty, Loaded, Note, Rows } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { useToast } from "../ui/toast";

type RedeemCode = Answer<"/api/billing/codes">["data"][number];
type State = "active" | "used" | "expired" | "disabled";
type Act =
  | { kind: "create" }
  | { kind: "made"; batch: string; codes: string[] }
  | { kind: "code"; code: RedeemCode }
  | { kind: "batch"; batch: string };

const looks = { active: "ok", used: undefined, expired: "warn", disabled: "danger" } as const;

/** Codes are the texts that users redeem for credits. */
export function Codes() {
  const t = useT();
  const say = useToast();
  const navigate = useNavigate({ from: "/admin/codes" });
  const search = useSearch({ from: "/inside/admin/admin/codes" });
  const invalidate = useInvalidate();
  const [act, setAct] = useState<Act>();
  const close = () => setAct(undefined);
  const codes = useQuery({
    queryKey: ["codes", search.batch, search.state, search.cursor],
    queryFn: ({ signal }) =>
      api.get("/api/billing/codes", {
        query: { batch: search.batch, state: search.state as State | undefined, cursor: search.cursor, pageSize: 50 },
        signal,
      }),
    placeholderData: keepPreviousData,
  });
  const narrow = (change: { batch?: string; state?: string }) =>
    navigate({ search: (old) => ({ ...old, cursor: undefined, ...change }) });
  const next = codes.data?.next_cursor;
  return (
    <Page
      title={t("nav.codes")}
      about={t("codes.about")}
      actions={
        <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => setAct({ kind: "create" })}>
          {t("codes.create")}
        </Button>
      }
    >
      <div>
        <Filters>
          <Search label={t("codes.batch.exact")} value={search.batch} onSearch={(batch) => narrow({ batch })} />
          <Pick
            label={t("keys.state")}
            value={search.state}
            onPick={(state) => narrow({ state })}
            options={[
              ["", t("users.states.all")],
              ["active", t("code.state.active")],
              ["used", t("code.state.used")],
              ["expired", t("code.state.expired")],
              ["disabled", t("code.state.disabled")],
            ]}
          />
          {search.batch && (
            <>
              <a
                href={address("/api/billing/codes/export", {}, { batch: search.batch })}
                download
                className={buttonClass("plain")}
              >
                <Download aria-hidden className="size-4" />
                {t("action.export")}
              </a>
              <Button onClick={() => setAct({ kind: "batch", batch: search.batch ?? "" })}>{t("codes.void.batch")}</Button>
            </>
          )}
        </Filters>
        <Card flush>
          <Loaded query={codes} loading={<Rows />}>
            {({ data }) =>
              data.length === 0 ? (
                <Empty
                  icon={<Ticket aria-hidden className="size-5" />}
                  title={search.batch || search.state ? t("filter.nothing") : t("codes.none")}
                >
                  {search.batch || search.state ? t("filter.nothing.hint") : t("codes.none.hint")}
                </Empty>
              ) : (
                <List rows={data} stop={(code) => setAct({ kind: "code", code })} pick={(batch) => narrow({ batch })} />
              )
            }
          </Loaded>
          <CursorPager next={next} />
        </Card>
      </div>
      <Modal wide open={act?.kind === "create"} onClose={close} title={t("codes.create")} about={t("codes.create.about")}>
        <Create onClose={close} made={(batch, codes) => setAct({ kind: "made", batch, codes })} />
      </Modal>
      <Modal keep wide open={act?.kind === "made"} onClose={close} title={t("codes.made")} about={t("codes.made.about")}>
        {act?.kind === "made" && (
          <div className="flex flex-col gap-4">
            <Code text={act.codes.join("\n")} label={t("codes.batch.of", { name: act.batch })} />
            <Note>{t("codes.made.note")}</Note>
            <Button
              look="primary"
              className="self-end"
              onClick={() => {
                narrow({ batch: act.batch });
                close();
              }}
            >
              {t("users.link.kept")}
            </Button>
          </div>
        )}
      </Modal>
      <Confirm
        open={act?.kind === "code" || act?.kind === "batch"}
        onClose={close}
        title={
          act?.kind === "batch"
            ? t("codes.void.batch.title", { name: act.batch })
            : t("codes.void.title", { name: act?.kind === "code" ? `…${act.code.hint}` : "" })
        }
        consequences={t("codes.void.consequences")}
        action={act?.kind === "batch" ? t("codes.void.batch") : t("codes.void")}
        act={async () => {
          if (act?.kind === "code") await api.post("/api/billing/codes/{id}/disable", { params: { id: act.code.id } });
          if (act?.kind === "batch")
            await api.post("/api/billing/codes/batches/{batch}/disable", { params: { batch: act.batch } });
          await invalidate("codes");
          say(t("codes.voided"));
        }}
      />
    </Page>
  );
}

function List({ rows, stop, pick }: { rows: RedeemCode[]; stop: (code: RedeemCode) => void; pick: (batch: string) => void }) {
  const { t, known, format } = useI18n();
  const columns: Column<RedeemCode>[] = [
    {
      key: "code",
      head: t("codes.code"),
      cell: (c) => (
        <div>
          <Mono>…{c.hint}</Mono>
          <div className="sm:hidden">
            <button type="button" className="text-sm text-ink-3 hover:underline" onClick={() => pick(c.batch)}>
              {c.batch}
            </button>
          </div>
        </div>
      ),
    },
    {
      key: "batch",
      head: t("codes.batch"),
      from: "sm",
      cell: (c) => (
        <button type="button" className="text-left break-all hover:underline" onClick={() => pick(c.batch)}>
          {c.batch}
        </button>
      ),
    },
    {
      key: "state",
      head: t("keys.state"),
      cell: (c) => <Badge kind={looks[c.state as State]}>{known(`code.state.${c.state}`, c.state)}</Badge>,
    },
    {
      key: "uses",
      head: t("codes.uses"),
      num: true,
      from: "sm",
      cell: (c) => `${count(format, c.uses)} / ${count(format, c.max_uses)}`,
    },
    { key: "amount", head: t("call.credits"), num: true, cell: (c) => <Amount of={c.amount} /> },
    {
      key: "until",
      head: t("keys.until"),
      from: "md",
      cell: (c) => (c.expires_at ? date(format, c.expires_at) : t("keys.always")),
    },
    { key: "by", head: t("codes.by"), from: "xl", cell: (c) => c.created_by },
    { key: "at", head: t("keys.created"), from: "lg", cell: (c) => <Time at={c.created_at} /> },
    {
      key: "void",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (c) =>
        c.state === "active" && (
          <Button small onClick={() => stop(c)} aria-label={`${t("codes.void")} …${c.hint}`}>
            {t("codes.void")}
          </Button>
        ),
    },
  ];
  return <Table label={t("nav.codes")} columns={columns} rows={rows} id={(c) => c.id} />;
}

function Create({ onClose, made }: { onClose: () => void; made: (batch: string, codes: string[]) => void }) {
  const t = useT();
  const invalidate = useInvalidate();
  return (
    <Form
      submit={t("codes.create")}
      onCancel={onClose}
      save={async (value) => {
        const answer = await api.post("/api/billing/codes", {
          body: {
            count: Number(value("count")),
            amount: value("amount"),
            batch: value("batch"),
            prefix: value("prefix"),
            kind: value("kind"),
            priority: 0,
            max_uses: Number(value("max_uses") || "1"),
            life_days: Number(value("life_days") || "0"),
            expires_at: value("expires_at") ? new Date(value("expires_at")).toISOString() : null,
          },
        });
        await invalidate("codes");
        made(
          answer.batch,
          answer.data.map((c) => c.code ?? ""),
        );
      }}
    >
      {(fault) => (
        <>
          <div className="grid gap-4 sm:grid-cols-2">
            <TextField
              name="count"
              type="number"
              min={1}
              label={t("codes.count")}
              defaultValue="1"
              error={fault("count")}
              required
            />
            <TextField name="amount" label={t("codes.amount")} inputMode="decimal" error={fault("amount")} required />
            <TextField
              name="batch"
              label={t("codes.batch")}
              hint={t("codes.batch.hint")}
              error={fault("batch")}
              autoComplete="off"
            />
            <TextField
              name="prefix"
              label={t("codes.prefix")}
              hint={t("codes.prefix.hint")}
              error={fault("prefix")}
              autoComplete="off"
            />
            <TextField
              name="max_uses"
              type="number"
              min={1}
              label={t("codes.max")}
              hint={t("codes.max.hint")}
              defaultValue="1"
              error={fault("max_uses")}
            />
            <TextField
              name="life_days"
              type="number"
              min={0}
              label={t("codes.life")}
              hint={t("codes.life.hint")}
              defaultValue="0"
              error={fault("life_days")}
            />
            <TextField
              name="expires_at"
              type="datetime-local"
              label={t("codes.until")}
              hint={t("keys.expires.hint")}
              error={fault("expires_at")}
            />
            <SelectField name="kind" label={t("money.kind")} hint={t("money.kind.hint")} error={fault("kind")}>
              <option value="promotional">{t("grant.promotional")}</option>
              <option value="purchased">{t("grant.purchased")}</option>
            </SelectField>
          </div>
        </>
      )}
    </Form>
  );
}
