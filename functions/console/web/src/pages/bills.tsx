import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { FileSpreadsheet } from "lucide-react";
import { useState } from "react";
import { type Answer, ApiError, api, upload } from "../api/client";
import { useInvalidate } from "../app/session";
import { count } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { Check, Field, Form, SelectField, TextField } from "../ui/form";
import { Listing } from "../ui/listing";
import { Card, Facts, Mono, Time } from "../ui/page";
import { Note } from "../ui/states";
import type { Column } from "../ui/table";

type Bill = Answer<"/api/billing/reconcile/imports">["data"][number];
type Imported = Answer<"/api/billing/reconcile/imports", "post">;
const formats = ["openai-usage", "openai-costs", "anthropic-usage", "anthropic-cost", "csv"] as const;

/** Bills are the exports of providers that were read in. */
export function Bills() {
  const { t, format } = useI18n();
  const search = useSearch({ from: "/inside/admin/admin/reconcile" });
  const bills = useQuery({
    queryKey: ["bills", search.cursor],
    queryFn: ({ signal }) =>
      api.get("/api/billing/reconcile/imports", { query: { cursor: search.cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
  });
  const columns: Column<Bill>[] = [
    {
      key: "provider",
      head: t("provider.one"),
      cell: (b) => (
        <div>
          <span className="font-medium">{b.provider}</span>
          <div className="text-sm text-ink-3">
            <Mono>{b.format}</Mono>
          </div>
        </div>
      ),
    },
    { key: "days", head: t("reconcile.days"), cell: (b) => `${b.first_day.slice(0, 10)} – ${b.last_day.slice(0, 10)}` },
    { key: "lines", head: t("reconcile.lines"), num: true, from: "md", cell: (b) => count(format, b.lines) },
    {
      key: "news",
      head: t("reconcile.news"),
      num: true,
      from: "sm",
      cell: (b) => `+${count(format, b.added)} / ${count(format, b.replaced)}`,
    },
    { key: "actor", head: t("audit.actor"), from: "lg", cell: (b) => b.actor },
    { key: "at", head: t("credits.at"), from: "lg", cell: (b) => <Time at={b.created_at} /> },
  ];
  return (
    <Card flush>
      <Listing
        query={bills}
        label={t("reconcile.tab.bills")}
        columns={columns}
        id={(b) => b.id}
        icon={<FileSpreadsheet aria-hidden className="size-5" />}
        none={t("reconcile.bills.none")}
        hint={t("reconcile.import.about")}
      />
    </Card>
  );
}

/** BillForm reads in an export of a provider. */
export function BillForm({ onClose }: { onClose: () => void }) {
  const { t, format } = useI18n();
  const invalidate = useInvalidate();
  const [of, setOf] = useState<string>(formats[0]);
  const [done, setDone] = useState<Imported>();
  const providers = useQuery({ queryKey: ["providers"], queryFn: ({ signal }) => api.get("/api/admin/providers", { signal }) });
  if (done)
    return (
      <div className="flex flex-col gap-4">
        <Note kind="ok">{done.id ? t("reconcile.imported") : t("reconcile.imported.before")}</Note>
        <Facts
          items={[
            [t("reconcile.lines"), count(format, done.lines)],
            [t("reconcile.added"), count(format, done.added)],
            [t("reconcile.replaced"), count(format, done.replaced)],
            [t("reconcile.unchanged"), count(format, done.unchanged)],
            done.calls_corrected > 0 && [t("reconcile.corrected"), count(format, done.calls_corrected)],
          ]}
        />
        <Button look="primary" className="self-end" onClick={onClose}>
          {t("action.close")}
        </Button>
      </div>
    );
  return (
    <Form
      submit={t("reconcile.import")}
      onCancel={onClose}
      save={async (value, form) => {
        const file = (form.elements.namedItem("file") as HTMLInputElement).files?.[0];
        if (!file) throw new ApiError(400, "invalid_request", t("reconcile.file.none"), "file");
        const answer = await upload(
          "/api/billing/reconcile/imports",
          file,
          /json/i.test(file.name) || /json/.test(file.type) ? "application/json" : "text/csv",
          {
            provider: value("provider"),
            format: of,
            map: of === "csv" ? value("map") : undefined,
            zone: value("zone"),
            calls: value("calls") ? "true" : undefined,
          },
        );
        await invalidate("bills", "reconcile");
        setDone(answer);
      }}
    >
      {(fault) => (
        <>
          <div className="grid gap-4 sm:grid-cols-2">
            <SelectField name="provider" label={t("provider.one")} error={fault("provider")}>
              {providers.data?.data.map((p) => (
                <option key={p.name}>{p.name}</option>
              ))}
            </SelectField>
            <SelectField
              name="format"
              label={t("reconcile.format")}
              value={of}
              onChange={(e) => setOf(e.target.value)}
              error={fault("format")}
            >
              {formats.map((f) => (
                <option key={f} value={f}>
                  {t(`reconcile.format.${f}`)}
                </option>
              ))}
            </SelectField>
          </div>
          <Field label={t("reconcile.file")} hint={t("reconcile.file.hint")} error={fault("file") ?? fault("body")}>
            {(own) => <input {...own} type="file" name="file" accept=".csv,.tsv,.json,.jsonl,.ndjson" className="input" />}
          </Field>
          {of === "csv" && (
            <>
              <TextField
                name="map"
                label={t("reconcile.map")}
                hint={t("reconcile.map.hint")}
                placeholder="date=Day,model=Model,cost=Cost"
                error={fault("map")}
                spellCheck={false}
              />
              <TextField name="zone" label={t("profile.zone")} placeholder="UTC" error={fault("zone")} />
              <Check name="calls" label={t("reconcile.correct")} hint={t("reconcile.correct.hint")} />
            </>
          )}
        </>
      )}
    </Form>
  );
}
