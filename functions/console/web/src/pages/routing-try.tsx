import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { CircleSlash } from "lucide-react";
import { useId } from "react";
import { type Answer, api } from "../api/client";
import { short } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { Check, SelectField, TextField } from "../ui/form";
import { Card, Facts, Time } from "../ui/page";
import { Badge, Empty, Loaded, Note, Rows } from "../ui/states";
import { needs, policies, useModels } from "./routing-form";

type Plan = Answer<"/api/admin/plan">;

const kinds = ["embedding", "image", "speech", "transcription", "moderation", "rerank", "video"] as const;

/** TryName says where a call with a name would go, and why, without making it. What is asked is in the address. */
export function TryName() {
  const { t } = useI18n();
  const navigate = useNavigate({ from: "/admin/routing" });
  const asked = useSearch({ from: "/inside/admin/admin/routing" });
  const list = useId();
  const models = useModels();
  const aliases = useQuery({ queryKey: ["aliases"], queryFn: ({ signal }) => api.get("/api/admin/aliases", { signal }) });
  const users = useQuery({
    queryKey: ["users", "names"],
    queryFn: ({ signal }) => api.get("/api/admin/users", { query: { pageSize: 100 }, signal }),
  });
  const keys = useQuery({
    queryKey: ["keys", "names"],
    queryFn: ({ signal }) => api.get("/api/admin/keys", { query: { pageSize: 100 }, signal }),
  });
  const query = {
    model: asked.model ?? "",
    user: asked.user,
    keyId: asked.key,
    type: asked.type,
    needs: asked.needs,
    tokens: asked.tokens,
    tags: asked.tags,
    region: asked.region,
    route: asked.route,
  };
  const plan = useQuery({
    queryKey: ["plan", query],
    queryFn: ({ signal }) => api.get("/api/admin/plan", { query, signal }),
    enabled: query.model !== "",
    placeholderData: keepPreviousData,
  });
  const names = [...(aliases.data?.data.map((a) => a.name) ?? []), ...models];
  return (
    <div className="grid items-start gap-5 lg:grid-cols-[20rem_minmax(0,1fr)]">
      <Card title={t("routing.try.call")}>
        <form
          key={JSON.stringify(query)}
          className="flex flex-col gap-3"
          onSubmit={(e) => {
            e.preventDefault();
            const data = new FormData(e.currentTarget);
            const said = (name: string) => String(data.get(name) ?? "").trim() || undefined;
            const wanted = data.getAll("needs").join(",") || undefined;
            navigate({
              search: {
                tab: "try",
                model: said("model"),
                user: said("user"),
                key: said("key"),
                type: said("type"),
                needs: wanted,
                tokens: Number(said("tokens")) || undefined,
                tags: said("tags"),
                region: said("region"),
                route: said("route"),
              },
            });
          }}
        >
          <datalist id={`${list}m`}>
            {names.map((n) => (
              <option key={n} value={n} />
            ))}
          </datalist>
          <datalist id={`${list}u`}>
            {users.data?.data.map((u) => (
              <option key={u.email} value={u.email} />
            ))}
          </datalist>
          <TextField
            name="model"
            label={t("call.model")}
            defaultValue={query.model}
            list={`${list}m`}
            required
            spellCheck={false}
            autoComplete="off"
          />
          <TextField
            name="user"
            label={t("call.user")}
            type="email"
            defaultValue={query.user}
            list={`${list}u`}
            hint={t("routing.try.user")}
          />
          <SelectField name="key" label={t("call.key")} defaultValue={query.keyId ?? ""}>
            <option value="">{t("routing.try.nokey")}</option>
            {keys.data?.data.map((k) => (
              <option key={k.id} value={k.id}>
                {k.name}
                {"user" in k && k.user ? ` (${String(k.user)})` : ""}
              </option>
            ))}
          </SelectField>
          <details
            open={Boolean(query.type || query.needs || query.tokens || query.tags || query.region || query.route) || undefined}
          >
            <summary className="text-sm font-medium">{t("action.more")}</summary>
            <div className="mt-3 flex flex-col gap-3">
              <SelectField name="type" label={t("models.type")} defaultValue={query.type ?? ""}>
                <option value="">{t("routing.type.chat")}</option>
                {kinds.map((k) => (
                  <option key={k} value={k}>
                    {t(`routing.type.${k}`)}
                  </option>
                ))}
              </SelectField>
              <fieldset>
                <legend className="mb-1 text-sm font-medium">{t("routing.needs")}</legend>
                <div className="grid grid-cols-2 gap-1">
                  {needs.map((n) => (
                    <Check
                      key={n}
                      name="needs"
                      value={n}
                      label={t(`routing.need.${n}`)}
                      defaultChecked={query.needs?.split(",").includes(n)}
                    />
                  ))}
                </div>
              </fieldset>
              <TextField
                name="tokens"
                label={t("call.tokens")}
                type="number"
                min={0}
                defaultValue={query.tokens}
                hint={t("routing.try.tokens")}
              />
              <TextField name="tags" label={t("routing.tags")} defaultValue={query.tags} />
              <TextField name="region" label={t("provider.region")} defaultValue={query.region} />
              <TextField name="route" label={t("routing.try.route")} defaultValue={query.route} hint={policies.join(", ")} />
            </div>
          </details>
          <Button type="submit" look="primary" busy={plan.isFetching}>
            {t("routing.try")}
          </Button>
        </form>
      </Card>
      <Card title={t("routing.try.plan")}>
        {query.model === "" ? (
          <Empty title={t("routing.try.none")}>{t("routing.try.none.hint")}</Empty>
        ) : (
          <Loaded query={plan} loading={<Rows n={4} />}>
            {(data) => <Shown plan={data} />}
          </Loaded>
        )}
      </Card>
    </div>
  );
}

function Shown({ plan }: { plan: Plan }) {
  const { t, format } = useI18n();
  return (
    <div className="flex flex-col gap-5">
      <Facts
        items={[
          [
            t("routing.name"),
            <span key="n" className="font-mono text-[13px] break-all">
              {plan.model}
            </span>,
          ],
          plan.why !== "" && [t("routing.try.why"), plan.why],
          plan.user ? [t("call.user"), `${plan.user} (${plan.groups.join(", ")})`] : [t("call.user"), t("routing.try.anyone")],
          (plan.models?.length ?? 0) > 0 && [t("keys.models"), plan.models?.join(", ")],
        ]}
      />
      {plan.fault ? (
        <Note kind="danger">{plan.fault}</Note>
      ) : (
        <section>
          <h3 className="mb-2 font-semibold">{t("routing.try.order")}</h3>
          <ol className="flex flex-col gap-2">
            {plan.targets.map((x, i) => (
              <li key={x.target} className="flex items-start gap-3 rounded-lg border border-line px-3 py-2.5">
                <span
                  aria-hidden
                  className="mt-0.5 inline-flex size-6 shrink-0 items-center justify-center rounded-full bg-sunken text-sm font-semibold tabular-nums"
                >
                  {i + 1}
                </span>
                <div className="min-w-0 flex-1">
                  <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
                    <span className="font-medium break-all">{x.target}</span>
                    <Fares target={x} />
                  </p>
                  <p className="text-sm text-ink-3">
                    {x.native ? t("routing.try.native") : t("routing.try.translated")}
                    {x.context > 0 && ` · ${t("models.context")} ${short(format, x.context)}`}
                    {x.max_output > 0 && ` · ${t("models.output.most")} ${short(format, x.max_output)}`}
                    {` · ${t("routing.try.credentials", { n: x.credentials - x.resting, of: x.credentials })}`}
                    {x.until && (
                      <>
                        {" · "}
                        {t("credential.until")} <Time at={x.until} />
                      </>
                    )}
                  </p>
                </div>
              </li>
            ))}
          </ol>
        </section>
      )}
      {plan.refused.length > 0 && (
        <section>
          <h3 className="mb-2 font-semibold">{t("routing.try.refused")}</h3>
          <ul className="flex flex-col gap-1.5">
            {plan.refused.map((r) => (
              <li key={`${r.target} ${r.reason}`} className="flex gap-2.5">
                <CircleSlash aria-hidden className="mt-0.5 size-4 shrink-0 text-ink-3" />
                <span className="min-w-0">
                  <span className="break-all">{r.target}</span> <span className="text-sm text-ink-3">{r.reason}</span>
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <p className="text-sm text-ink-3">{t("routing.try.note")}</p>
    </div>
  );
}

function Fares({ target }: { target: Plan["targets"][number] }) {
  const { t } = useI18n();
  if (target.failing) return <Badge kind="danger">{t("routing.state.failing")}</Badge>;
  if (target.credentials > 0 && target.resting === target.credentials)
    return <Badge kind="warn">{t("credential.state.cooling")}</Badge>;
  return <Badge kind="ok">{t("credential.state.running")}</Badge>;
}
