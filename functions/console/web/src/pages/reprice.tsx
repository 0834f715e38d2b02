import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { credits } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Form, SelectField, TextField } from "../ui/form";
import { Note } from "../ui/states";
import { useToast } from "../ui/toast";
import { providersQuery } from "./provider-form";

type Repriced = Answer<"/api/admin/rates/reprice", "post">;

/** Reprice computes prices anew from costs and a margin; first it shows what would change. */
export function Reprice({ onClose, changed }: { onClose: () => void; changed: () => Promise<unknown> }) {
  const { t, tn, format } = useI18n();
  const say = useToast();
  const providers = useQuery(providersQuery);
  const [preview, setPreview] = useState<{ asked: string; of: Repriced }>();
  const [provider, setProvider] = useState("");
  const [margin, setMargin] = useState("20");
  const asked = `${provider}|${margin}`;
  const ready = preview?.asked === asked && preview.of.changed > 0;
  const price = (of: Repriced["data"][number]["old"], bucket: string) => {
    const text = of?.per_million[bucket];
    return text === undefined ? "–" : credits(format, text);
  };
  return (
    <Form
      submit={ready ? tn("reprice.apply", preview.of.changed) : t("reprice.preview")}
      onCancel={onClose}
      save={async (value) => {
        const of = await api.post("/api/admin/rates/reprice", {
          body: { provider, margin, reason: value("reason"), dry_run: !ready },
        });
        if (of.dry_run) {
          setPreview({ asked, of });
          return;
        }
        await changed();
        say(tn("reprice.done", of.changed));
        onClose();
      }}
    >
      {(fault) => (
        <>
          <div className="grid gap-4 sm:grid-cols-2">
            <SelectField
              label={t("provider.one")}
              value={provider}
              onChange={(e) => setProvider(e.target.value)}
              error={fault("provider")}
            >
              <option value="">{t("rates.providers")}</option>
              {providers.data?.data.map((p) => (
                <option key={p.name}>{p.name}</option>
              ))}
            </SelectField>
            <TextField
              name="margin"
              label={t("catalogue.margin")}
              value={margin}
              onChange={(e) => setMargin(e.target.value.trim())}
              inputMode="decimal"
              error={fault("margin")}
              required
            />
          </div>
          <TextField name="reason" label={t("rates.reason")} hint={t("rates.reason.hint")} error={fault("reason")} />
          {preview?.asked === asked && (
            <div className="flex flex-col gap-2">
              {preview.of.changed === 0 && <Note>{t("reprice.nothing")}</Note>}
              <ul className="max-h-64 divide-y divide-line overflow-y-auto rounded-lg border border-line empty:hidden">
                {preview.of.data.map((r) => (
                  <li key={r.id} className="flex flex-wrap items-center gap-x-3 px-3 py-2">
                    <span className="min-w-0 flex-1 break-all">
                      {r.provider}/{r.model}
                    </span>
                    {r.skipped ? (
                      <span className="text-sm text-ink-3">{r.skipped}</span>
                    ) : (
                      <span className="num text-sm">
                        {price(r.old, "input")} · {price(r.old, "output")} <span aria-hidden>→</span>{" "}
                        <strong>
                          {price(r.new, "input")} · {price(r.new, "output")}
                        </strong>
                      </span>
                    )}
                  </li>
                ))}
              </ul>
            </div>
          )}
        </>
      )}
    </Form>
  );
}
