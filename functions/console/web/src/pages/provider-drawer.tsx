import { useMutation, useQuery } from "@tanstack/react-query";
import { Plug, Zap } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { count, duration, usd } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm, Modal } from "../ui/dialog";
import { Form, TextField } from "../ui/form";
import { Facts, Mono, Time } from "../ui/page";
import { Badge, Note, useFault } from "../ui/states";
import { useToast } from "../ui/toast";
import { Credentials } from "./provider-credentials";
import { kindsQuery, type Provider } from "./provider-form";
import type { Health } from "./provider-health";
import { Probes, useLive } from "./provider-test";

type Probed = Answer<"/api/ai/probe", "post">;

/** Whole is everything about a provider. */
export function Whole({ provider, health }: { provider: Provider; health: Health | undefined }) {
  const t = useT();
  const say = useFault();
  const toast = useToast();
  const invalidate = useInvalidate();
  const kinds = useQuery(kindsQuery);
  const kind = kinds.data?.data.find((k) => k.id === provider.kind);
  const [editing, setEditing] = useState(false);
  const [stopping, setStopping] = useState(false);
  const stored = provider.source !== "env";
  const states = Object.entries(health?.providers[provider.name] ?? {});
  const live = useLive(
    provider.name,
    states.filter(([, c]) => c.state !== "disabled").map(([name]) => name),
  );
  const timeouts = Object.entries(provider.timeouts ?? {}).filter(([, v]) => v);
  const turn = async (enabled: boolean) => {
    await api.patch("/api/admin/providers/{name}", { params: { name: provider.name }, body: { enabled } });
    await invalidate("providers", "health", "prices");
  };
  return (
    <div className="flex flex-col gap-6">
      {!provider.enabled && (
        <Note kind="warn">
          <div className="flex flex-wrap items-center justify-between gap-2">
            <span>{t("provider.off.about")}</span>
            <Button small onClick={() => turn(true).catch((thrown) => toast(say(thrown), true))}>
              {t("credential.enable")}
            </Button>
          </div>
        </Note>
      )}
      <section className="flex flex-col gap-3">
        <Facts
          items={[
            [t("provider.kind"), kind?.title ?? provider.kind],
            [t("provider.name"), <Mono key="n">{provider.name}</Mono>],
            [t("provider.url"), <Mono key="u">{provider.base_url}</Mono>],
            provider.region !== "" && [t("provider.region"), provider.region],
            !!provider.created_at && [t("keys.created"), <Time key="c" at={provider.created_at} />],
            timeouts.length > 0 && [
              t("provider.timeouts"),
              timeouts
                .map(([name, v]) => `${t(`provider.timeout.${name as "connect" | "first_byte" | "idle" | "total"}`)} ${v}`)
                .join(" · "),
            ],
            (kind?.languages?.length ?? 0) > 0 && [t("provider.languages"), kind?.languages?.join(", ")],
            (kind?.refuses?.length ?? 0) > 0 && [t("provider.refuses"), <Mono key="r">{kind?.refuses?.join(", ")}</Mono>],
          ]}
        />
        {stored && (
          <div className="flex flex-wrap gap-2">
            <Button small onClick={() => setEditing(true)}>
              {t("action.edit")}
            </Button>
            {provider.enabled && (
              <Button small onClick={() => setStopping(true)}>
                {t("credential.disable")}
              </Button>
            )}
          </div>
        )}
      </section>
      <section className="flex flex-col gap-3">
        <div className="flex items-center justify-between gap-3">
          <h3 className="font-semibold">{t("provider.live")}</h3>
          <Button
            small
            busy={live.asking.isPending}
            onClick={() => live.asking.mutate()}
            icon={<Plug aria-hidden className="size-4" />}
          >
            {t("provider.test")}
          </Button>
        </div>
        {live.asking.isPending && (
          <div role="status">
            <p className="text-ink-3">{t("provider.testing", { n: live.probes?.length ?? 0, of: live.of })}</p>
            <progress max={live.of} value={live.probes?.length ?? 0} aria-label={t("provider.live")} className="mt-1 w-full" />
          </div>
        )}
        {!live.probes && !live.asking.isPending && <p className="text-ink-3">{t("provider.test.about")}</p>}
        {live.probes && (live.probes.length > 0 || !live.asking.isPending) && !live.asking.error && (
          <Probes probes={live.probes} />
        )}
        {live.asking.error && <Note kind="danger">{say(live.asking.error)}</Note>}
      </section>
      <TryModel provider={provider} health={health} />
      {stored ? <Credentials provider={provider} health={health} /> : <Note>{t("provider.env.about")}</Note>}
      <Modal open={editing} onClose={() => setEditing(false)} title={t("provider.edit")} about={t("keys.edit.about")}>
        <ProviderEdit provider={provider} url={kind?.base_url ?? ""} onClose={() => setEditing(false)} />
      </Modal>
      <Confirm
        open={stopping}
        onClose={() => setStopping(false)}
        title={t("provider.stop.title", { name: provider.name })}
        consequences={t("provider.stop.consequences")}
        action={t("credential.disable")}
        act={() => turn(false)}
      />
    </div>
  );
}

const spans = ["connect", "first_byte", "idle", "total"] as const;

function ProviderEdit({ provider, url, onClose }: { provider: Provider; url: string; onClose: () => void }) {
  const t = useT();
  const invalidate = useInvalidate();
  const own = provider.base_url === url ? "" : provider.base_url;
  const given = (provider.timeouts ?? {}) as Record<string, string | undefined>;
  return (
    <Form
      submit={t("action.save")}
      onCancel={onClose}
      save={async (value) => {
        const timeouts = Object.fromEntries(spans.map((s) => [s, value(`timeouts.${s}`)]).filter(([, v]) => v));
        await api.patch("/api/admin/providers/{name}", {
          params: { name: provider.name },
          body: { display_name: value("display_name"), base_url: value("base_url"), region: value("region"), timeouts },
        });
        await invalidate("providers", "health", "prices");
        onClose();
      }}
    >
      {(fault) => (
        <>
          <TextField
            name="display_name"
            label={t("provider.shown")}
            defaultValue={provider.display_name}
            placeholder={provider.name}
            maxLength={100}
            error={fault("display_name")}
          />
          <TextField
            name="base_url"
            label={t("provider.url")}
            hint={t("provider.url.hint")}
            defaultValue={own}
            placeholder={url}
            error={fault("base_url")}
            spellCheck={false}
          />
          <TextField name="region" label={t("provider.region")} defaultValue={provider.region} error={fault("region")} />
          <fieldset>
            <legend className="text-sm font-medium">{t("provider.timeouts")}</legend>
            <p className="mb-2 text-sm text-ink-3">{t("provider.timeouts.hint")}</p>
            <div className="grid grid-cols-2 gap-3 sm:grid-cols-4">
              {spans.map((s) => (
                <TextField
                  key={s}
                  name={`timeouts.${s}`}
                  label={t(`provider.timeout.${s}`)}
                  defaultValue={given[s]}
                  placeholder="–"
                  error={fault(`timeouts.${s}`)}
                />
              ))}
            </div>
          </fieldset>
        </>
      )}
    </Form>
  );
}

/** TryModel makes a tiny real call to one of a provider's models. */
function TryModel({ provider, health }: { provider: Provider; health: Health | undefined }) {
  const { t, format } = useI18n();
  const say = useFault();
  const [model, setModel] = useState("");
  const rates = useQuery({
    queryKey: ["rates", "of", provider.name],
    queryFn: ({ signal }) => api.get("/api/admin/rates", { query: { provider: provider.name, pageSize: 100 }, signal }),
  });
  const run = useMutation({
    mutationFn: () => api.post("/api/ai/probe", { body: { provider: provider.name, model } }),
  });
  const known = [
    ...new Set([
      ...(rates.data?.data ?? []).filter((r) => r.type === "chatCompletion").map((r) => r.model),
      ...(health?.targets ?? []).filter((x) => x.provider === provider.name && x.type === "chatCompletion").map((x) => x.model),
    ]),
  ].sort();
  return (
    <section className="flex flex-col gap-3">
      <div>
        <h3 className="font-semibold">{t("provider.try")}</h3>
        <p className="text-ink-3">{t("provider.try.about")}</p>
      </div>
      <form
        className="flex gap-2"
        onSubmit={(e) => {
          e.preventDefault();
          run.mutate();
        }}
      >
        <datalist id="models-of">
          {known.map((m) => (
            <option key={m} value={m} />
          ))}
        </datalist>
        <input
          value={model}
          onChange={(e) => setModel(e.target.value.trim())}
          list="models-of"
          aria-label={t("call.model")}
          placeholder={known[0] ?? t("call.model")}
          required
          spellCheck={false}
          className="input font-mono !text-[13px]"
        />
        <Button type="submit" busy={run.isPending} icon={<Zap aria-hidden className="size-4" />}>
          {t("provider.try.run")}
        </Button>
      </form>
      {run.error && <Note kind="danger">{say(run.error)}</Note>}
      {run.data && <Came of={run.data} format={format} />}
    </section>
  );
}

function Came({ of, format }: { of: Probed; format: ReturnType<typeof useI18n>["format"] }) {
  const t = useT();
  return (
    <div role="status" className="flex flex-wrap items-center gap-x-2 gap-y-1 rounded-lg border border-line px-3 py-2">
      <Badge kind={of.ok ? "ok" : "danger"}>{of.ok ? t("provider.try.ok") : t("provider.try.bad")}</Badge>
      {of.ok ? (
        <span className="text-sm text-ink-2">
          {t("call.ttfb")} {duration(format, of.ttfb_ms)} · {t("call.tokens")} {count(format, of.input_tokens)} →{" "}
          {count(format, of.output_tokens)}
          {of.cost_usd !== null && ` · ${t("call.cost")} ${usd(format, of.cost_usd)}`}
          {of.credential && ` · ${of.credential}`}
        </span>
      ) : (
        <span className="min-w-0 text-sm break-words text-ink-2">
          {of.http_status > 0 && `HTTP ${of.http_status} · `}
          {of.error}
        </span>
      )}
    </div>
  );
}
