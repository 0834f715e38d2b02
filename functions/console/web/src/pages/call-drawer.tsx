import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type Answer, api } from "../api/client";
import { count, credits, duration, usd } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { CopyButton } from "../ui/copy";
import { Drawer } from "../ui/dialog";
import { Amount, Facts, Mono, Time } from "../ui/page";
import { Badge, Loaded, Note } from "../ui/states";
import { CallStatus } from "./call-table";

type Detail = Answer<"/api/user/model-calls/{id}">;

/** useBucketName gives what a kind of unit is called. */
export function useBucketName() {
  const { known } = useI18n();
  return (bucket: string) => {
    const [unit = "", ...variant] = bucket.split(":"); // output:priority, images:hd:1024x1024
    return [known(`bucket.${unit}`, unit.replaceAll("_", " ")), ...variant].join(" · ");
  };
}

/** CallDrawer shows one call: how it went, its tries, and how it came to its price. */
export function CallDrawer({ id, onClose }: { id: string | undefined; onClose: () => void }) {
  const { t } = useI18n();
  const call = useQuery({
    queryKey: ["calls", "one", id],
    queryFn: ({ signal }) => api.get("/api/user/model-calls/{id}", { params: { id: id ?? "" }, signal }),
    enabled: id !== undefined,
  });
  return (
    <Drawer open={id !== undefined} onClose={onClose} title={t("call.title")} about={id && <Mono>{id}</Mono>}>
      <Loaded query={call}>{(call) => <Whole call={call} />}</Loaded>
    </Drawer>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="mt-6">
      <h3 className="mb-2 font-semibold">{title}</h3>
      {children}
    </section>
  );
}

function Whole({ call }: { call: Detail }) {
  const { t, format } = useI18n();
  const e = call.explanation;
  return (
    <div>
      <div className="flex flex-wrap items-center gap-2">
        <CallStatus call={call} />
        <span className="font-medium break-all">{call.provider ? `${call.provider}/${call.model}` : call.requested_model}</span>
        {call.stream && <Badge>{t("call.stream")}</Badge>}
      </div>
      {call.error && (
        <div className="mt-3">
          <Note kind="danger">{call.error}</Note>
        </div>
      )}
      <div className="mt-4">
        <Facts
          items={[
            [t("call.at"), <Time key="t" at={call.created_at} exact />],
            [t("call.requested"), <Mono key="r">{call.requested_model}</Mono>],
            [t("call.dialect"), call.dialect],
            call.duration_ms !== null && [t("call.duration"), duration(format, call.duration_ms)],
            call.ttfb_ms !== null && [t("call.ttfb"), duration(format, call.ttfb_ms)],
            !!e?.user && [t("call.user"), e.user],
            !!e?.key && [t("call.key"), e.key],
            call.app_id !== "" && [t("call.app"), call.app_id],
            [
              t("call.request"),
              <span key="q" className="flex flex-wrap items-center gap-2">
                <Mono>{call.request_id}</Mono>
              </span>,
            ],
          ]}
        />
      </div>
      {e && (
        <>
          <Section title={t("call.attempts")}>
            <Attempts call={call} />
          </Section>
          <Section title={t("call.price")}>
            <Price call={call} />
          </Section>
          {e.operator && (
            <Section title={t("call.operator")}>
              <Facts
                items={[
                  [t("call.cost"), e.operator.cost_usd === null ? "–" : usd(format, e.operator.cost_usd)],
                  [t("call.revenue"), usd(format, e.operator.revenue_usd)],
                  e.operator.margin_usd !== null && [t("call.margin"), usd(format, e.operator.margin_usd)],
                  !!call.credential && [t("call.credential"), call.credential],
                ]}
              />
            </Section>
          )}
        </>
      )}
      <div className="mt-6">
        <CopyButton text={JSON.stringify(call, null, 2)} label={t("call.copy")} />
      </div>
    </div>
  );
}

/** Attempts is the way of a call: a line for each try, as long as it took. */
function Attempts({ call }: { call: Detail }) {
  const { t, format } = useI18n();
  const tries = call.explanation?.attempts ?? [];
  const longest = Math.max(1, ...tries.map((a) => a.duration_ms ?? 0));
  if (tries.length === 0) return <p className="text-ink-3">{call.plan.why || t("call.attempts.none")}</p>;
  return (
    <ol className="flex flex-col gap-2">
      {tries.map((a, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: tries have their order only
        <li key={i} className="rounded-lg border border-line px-3 py-2">
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <span className="min-w-0 flex-1 font-mono text-[13px] break-all">
              {a.provider}/{a.model}
            </span>
            <Badge kind={a.answered && a.http_status < 400 ? "ok" : "danger"}>
              {a.http_status ? `HTTP ${a.http_status}` : t("call.noanswer")}
            </Badge>
            <span className="text-sm text-ink-3 tabular-nums">
              {a.duration_ms === null ? "–" : duration(format, a.duration_ms)}
            </span>
          </div>
          <Bar of={a.duration_ms ?? 0} all={longest} good={a.answered && a.http_status < 400} />
          {a.error && <p className="mt-1 text-sm text-danger">{a.error}</p>}
        </li>
      ))}
    </ol>
  );
}

/** Bar is a length in proportion. */
function Bar({ of, all, good }: { of: number; all: number; good: boolean }) {
  return (
    <svg aria-hidden className="mt-1.5 h-1.5 w-full" preserveAspectRatio="none" viewBox="0 0 100 1">
      <rect width="100" height="1" className="fill-sunken" />
      <rect width={Math.max(1, (of / all) * 100)} height="1" className={good ? "fill-accent" : "fill-danger"} />
    </svg>
  );
}

/** Price is how the call came to what it was charged, line by line. */
function Price({ call }: { call: Detail }) {
  const { t, format } = useI18n();
  const bucketName = useBucketName();
  const e = call.explanation;
  if (!e) return null;
  return (
    <div>
      {e.lines.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section aria-label={t("call.price")} tabIndex={0} className="overflow-x-auto rounded-lg border border-line">
          <table className="w-full">
            <thead>
              <tr className="border-b border-line text-sm text-ink-3">
                <th scope="col" className="px-2 py-1.5 sm:px-3 text-left font-medium">
                  {t("call.unit")}
                </th>
                <th scope="col" className="num px-2 py-1.5 sm:px-3 font-medium">
                  {t("call.units")}
                </th>
                <th scope="col" className="num px-2 py-1.5 sm:px-3 font-medium">
                  {t("call.rate")}
                </th>
                <th scope="col" className="num px-2 py-1.5 sm:px-3 font-medium">
                  {t("call.amount")}
                </th>
              </tr>
            </thead>
            <tbody>
              {e.lines.map((l) => (
                <tr key={`${l.bucket} ${l.variant ?? ""} ${l.tier_above ?? ""}`} className="border-b border-line last:border-0">
                  <td className="px-2 py-1.5 sm:px-3">
                    {bucketName(l.bucket)}
                    {l.variant && <span className="text-ink-3"> · {l.variant}</span>}
                  </td>
                  <td className="num px-2 py-1.5 sm:px-3">{count(format, l.units)}</td>
                  <td className="num px-2 py-1.5 sm:px-3 text-ink-3">{credits(format, l.rate, true)}</td>
                  <td className="num px-2 py-1.5 sm:px-3">{credits(format, l.amount, true)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      <div className="mt-3">
        <Facts
          items={[
            e.sum !== e.charged && [t("call.sum"), <Amount key="s" of={e.sum} />],
            [t("call.charged"), <strong key="c">{credits(format, e.charged, true)}</strong>],
            e.hold !== null && [t("call.hold"), <Amount key="h" of={e.hold.amount} />],
            e.rate !== null && [t("call.rateof"), t("call.version", { target: e.rate.target, version: e.rate.version })],
          ]}
        />
      </div>
      {e.reasons.length > 0 && (
        <ul className="mt-3 list-disc pl-5 text-ink-2">
          {e.reasons.map((r) => (
            <li key={r.code}>{r.text}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
