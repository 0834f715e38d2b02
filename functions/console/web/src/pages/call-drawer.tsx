import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Answer, api } from "../api/client";
import { curl } from "../lib/curl";
import { duration, usd } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { base } from "../lib/snippets";
import { Code, CopyButton } from "../ui/copy";
import { Drawer } from "../ui/dialog";
import { Amount, Facts, Mono, Time } from "../ui/page";
import { Badge, Loaded, Note } from "../ui/states";
import { Kept } from "./call-payload";
import { Price } from "./call-price";
import { CallStatus } from "./call-table";
import { Attempts, Timeline } from "./call-timeline";

export type Detail = Answer<"/api/user/model-calls/{id}">;

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
      <Loaded query={call}>{(call) => <Whole key={call.id} call={call} />}</Loaded>
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
  const [sent, setSent] = useState<string>();
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
          {call.duration_ms !== null && (
            <Section title={t("call.timeline")}>
              <Timeline call={call} />
            </Section>
          )}
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
                  e.operator.shortfall !== "0" && [t("call.shortfall"), <Amount key="f" of={e.operator.shortfall} />],
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
      <Section title={t("call.payload")}>
        <Kept id={call.id} onRequest={setSent} />
      </Section>
      <Section title={t("call.again")}>
        <p className="mb-2 text-ink-3">{sent === undefined ? t("call.again.sample") : t("call.again.kept")}</p>
        <Code label="curl" text={curl(base(), call, sent)} />
      </Section>
      <div className="mt-6">
        <CopyButton text={JSON.stringify(call, null, 2)} label={t("call.copy")} />
      </div>
    </div>
  );
}
