import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api } from "../api/client";
import { useInvalidate } from "../app/session";
import { count, usd } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Form, SelectField } from "../ui/form";
import { Mono, Time } from "../ui/page";
import { Badge, Empty, Loaded, Rows } from "../ui/states";
import { useToast } from "../ui/toast";
import type { Drift } from "./reconcile";

const figures = ["requests", "input", "cache_read", "cache_write", "output"] as const;

/** DriftDetail sets the two sides beside each other, says whose a key is, and lists the calls behind the figures. */
export function DriftDetail({ of: d, onClose }: { of: Drift; onClose: () => void }) {
  const { t, known, format } = useI18n();
  const show = (n: number | null) => (n === null ? "–" : count(format, n));
  const money = (v: string | null) => (v === null ? "–" : usd(format, v));
  const head = "px-3 py-1.5 text-sm font-medium text-ink-3";
  return (
    <div className="flex flex-col gap-6">
      {(d.reasons ?? []).length > 0 && (
        <ul className="flex flex-col gap-1.5">
          {d.reasons?.map((w) => (
            <li key={w} className="flex flex-wrap items-baseline gap-2">
              <Badge kind={d.over ? "warn" : undefined}>{known(`reconcile.reason.${w}`, w)}</Badge>
              <span className="text-sm text-ink-3">{known(`reconcile.reason.${w}.hint`, "")}</span>
            </li>
          ))}
        </ul>
      )}
      <div className="rounded-lg border border-line">
        <table className="w-full">
          <thead>
            <tr className="border-b border-line">
              <th scope="col" className={`${head} text-left`}>
                {t("reconcile.figure")}
              </th>
              <th scope="col" className={`${head} num`}>
                {t("reconcile.billed")}
              </th>
              <th scope="col" className={`${head} num`}>
                {t("reconcile.recorded")}
              </th>
            </tr>
          </thead>
          <tbody>
            {figures.map((f) => (
              <tr key={f} className="border-b border-line">
                <td className="px-3 py-1.5">{t(`reconcile.figure.${f}`)}</td>
                <td className="num px-3 py-1.5">{show(d.billed[f])}</td>
                <td className="num px-3 py-1.5">{show(d.recorded[f])}</td>
              </tr>
            ))}
            <tr>
              <td className="px-3 py-1.5">{t("call.cost")}</td>
              <td className="num px-3 py-1.5">{money(d.billed.cost_usd)}</td>
              <td className="num px-3 py-1.5">{money(d.recorded.cost_usd)}</td>
            </tr>
          </tbody>
        </table>
      </div>
      {(d.failed_attempts > 0 || d.unknown_cost > 0) && (
        <p className="text-sm text-ink-3">
          {d.failed_attempts > 0 && t("reconcile.failed", { n: count(format, d.failed_attempts) })}{" "}
          {d.unknown_cost > 0 && t("reconcile.unknown", { n: count(format, d.unknown_cost) })}
        </p>
      )}
      {d.billed_keys.length > 0 && <KeyOwner of={d} onClose={onClose} />}
      <CallsBehind of={d} />
    </div>
  );
}

/** KeyOwner says which credential a key of the bill is: then its line is compared with that credential's calls. */
function KeyOwner({ of: d, onClose }: { of: Drift; onClose: () => void }) {
  const t = useT();
  const say = useToast();
  const invalidate = useInvalidate();
  const credentials = useQuery({
    queryKey: ["providers", d.provider, "credentials"],
    queryFn: ({ signal }) => api.get("/api/admin/providers/{name}/credentials", { params: { name: d.provider }, signal }),
    retry: false,
  });
  return (
    <section>
      <h3 className="mb-1 font-semibold">{t("reconcile.resolve")}</h3>
      <p className="mb-3 text-sm text-ink-3">{t("reconcile.resolve.hint")}</p>
      <Loaded query={credentials} loading={<Rows n={2} />}>
        {({ data }) => (
          <Form
            submit={t("action.save")}
            save={async (value) => {
              await api.put("/api/billing/reconcile/keys", {
                body: { provider: d.provider, key: value("key"), credential: value("credential") },
              });
              await invalidate("reconcile");
              say(t("action.saved"));
              onClose();
            }}
          >
            {(fault) => (
              <div className="grid gap-4 sm:grid-cols-2">
                <SelectField name="key" label={t("reconcile.key")} error={fault("key")}>
                  {d.billed_keys.map((k) => (
                    <option key={k}>{k}</option>
                  ))}
                </SelectField>
                <SelectField
                  name="credential"
                  label={t("call.credential")}
                  defaultValue={d.credential}
                  error={fault("credential")}
                >
                  <option value="">{t("reconcile.nobody")}</option>
                  {data.map((c) => (
                    <option key={c.name}>{c.name}</option>
                  ))}
                </SelectField>
              </div>
            )}
          </Form>
        )}
      </Loaded>
    </section>
  );
}

function CallsBehind({ of: d }: { of: Drift }) {
  const { t, format } = useI18n();
  const calls = useQuery({
    queryKey: ["reconcile", "calls", d.provider, d.day, d.model, d.credential],
    queryFn: ({ signal }) =>
      api.get("/api/billing/reconcile/calls", {
        query: { provider: d.provider, day: d.day, until: d.until, model: d.model, credential: d.credential, pageSize: 20 },
        signal,
      }),
  });
  return (
    <section>
      <h3 className="mb-2 font-semibold">{t("reconcile.calls")}</h3>
      <Loaded query={calls} loading={<Rows n={3} />}>
        {({ data, next_cursor }) =>
          data.length === 0 ? (
            <Empty title={t("reconcile.calls.none")} />
          ) : (
            <>
              <ul className="divide-y divide-line rounded-lg border border-line">
                {data.map((c) => (
                  <li key={c.id} className="flex flex-wrap items-baseline gap-x-3 px-3 py-2">
                    <Link to="/calls" search={{ call: c.id, everyone: true }} className="min-w-0 flex-1 basis-40 hover:underline">
                      <Mono>{c.model}</Mono>
                    </Link>
                    <span className="text-sm text-ink-3">
                      <Time at={c.created_at} exact />
                    </span>
                    <span className="tabular-nums">{c.cost_usd === null ? "–" : usd(format, c.cost_usd)}</span>
                  </li>
                ))}
              </ul>
              {next_cursor && <p className="mt-2 text-sm text-ink-3">{t("reconcile.calls.more")}</p>}
            </>
          )
        }
      </Loaded>
    </section>
  );
}
