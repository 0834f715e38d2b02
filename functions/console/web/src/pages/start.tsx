import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Check } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { ApiError, api, at } from "../api/client";
import { firstKey, useInvalidate } from "../app/session";
import { sign } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Button, buttonClass } from "../ui/button";
import { Secret } from "../ui/copy";
import { Form, SelectField, TextField } from "../ui/form";
import { Mono, Page } from "../ui/page";
import { Snippets } from "../ui/snippets";
import { Loaded, Note, useFault } from "../ui/states";
import { listCalls } from "./call-table";
import { CataloguePicker } from "./catalogue-picker";
import { balanceQuery } from "./home";
import { type Provider, ProviderForm, providersQuery } from "./provider-form";
import { Tested } from "./provider-test";

const placeholder = "sk-hub-…";

/** Start leads an owner from a new hub to its first call. Steps that are done stay open to be done again. */
export function Start() {
  const t = useT();
  const providers = useQuery(providersQuery);
  const rates = useQuery({
    queryKey: ["rates", "some"],
    queryFn: ({ signal }) => api.get("/api/admin/rates", { query: { pageSize: 100 }, signal }),
  });
  const calls = useQuery({
    queryKey: ["calls", "first"],
    queryFn: ({ signal }) => listCalls({ query: { pageSize: 1 }, signal }),
    refetchInterval: (q) => (q.state.data?.data.length ? false : 2500),
  });
  const first = useQuery<string>({
    queryKey: firstKey,
    queryFn: () => Promise.resolve(""),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  });
  const [key, setKey] = useState("");
  const secret = key || first.data || "";
  const [made, setMade] = useState<string[]>([]);
  const callable = useQuery({
    queryKey: ["prices", "chat"],
    queryFn: ({ signal }) => api.get("/api/billing/prices", { query: { type: "chatCompletion", pageSize: 100 }, signal }),
    // A price works within two seconds.
    refetchInterval: (q) => {
      const list = q.state.data?.data ?? [];
      return list.length > 0 && made.every((m) => list.some((p) => p.model === m)) ? false : 2500;
    },
  });
  const known = callable.data?.data.map((p) => p.model) ?? [];
  const models = [...made.filter((m) => known.includes(m)), ...known.filter((m) => !made.includes(m))];
  const free = callable.data?.billing === false;

  return (
    <Page title={t("start.title")} about={t("start.about")}>
      <Loaded query={providers}>
        {({ data }) => (
          <ol className="flex flex-col gap-4">
            <Step n={1} title={t("start.provider")} done={data.length > 0}>
              <ProviderStep providers={data} />
            </Step>
            <Step n={2} title={t("start.models")} done={(rates.data?.total ?? 0) > 0} waits={data.length === 0}>
              <ModelStep providers={data} priced={rates.data?.total ?? 0} free={free} made={made} done={setMade} />
            </Step>
            <Step n={3} title={t("start.key")} done={secret !== ""} waits={data.length === 0}>
              <KeyStep secret={secret} made={setKey} />
            </Step>
            <Step n={4} title={t("start.call")} done={(calls.data?.data.length ?? 0) > 0} waits={models.length === 0}>
              <CallStep secret={secret} models={models} came={(calls.data?.data.length ?? 0) > 0} />
            </Step>
          </ol>
        )}
      </Loaded>
    </Page>
  );
}

function Step({
  n,
  title,
  done,
  waits,
  children,
}: {
  n: number;
  title: string;
  done: boolean;
  waits?: boolean;
  children: ReactNode;
}) {
  const t = useT();
  return (
    <li className="card p-4 sm:p-5">
      <div className="flex items-center gap-3">
        <span
          className={`flex size-7 shrink-0 items-center justify-center rounded-full text-sm font-semibold ${waits ? "bg-sunken text-ink-3" : done ? "bg-ok-soft text-ok" : "bg-accent-soft text-accent"}`}
        >
          {done ? <Check aria-hidden className="size-4" /> : n}
        </span>
        <h2 className={`font-semibold ${waits ? "text-ink-3" : ""}`}>
          {title}
          {done && <span className="sr-only"> – {t("start.done")}</span>}
        </h2>
      </div>
      {waits ? <p className="mt-2 text-ink-3 sm:ml-10">{t("start.waits")}</p> : <div className="mt-4 sm:ml-10">{children}</div>}
    </li>
  );
}

function ProviderStep({ providers }: { providers: Provider[] }) {
  const t = useT();
  const [adding, setAdding] = useState(false);
  const [fresh, setFresh] = useState("");
  if (providers.length === 0 || adding)
    return (
      <div className="max-w-lg">
        <ProviderForm
          onCancel={adding ? () => setAdding(false) : undefined}
          added={(p) => {
            setAdding(false);
            setFresh(p.name);
          }}
        />
      </div>
    );
  return (
    <div className="flex flex-col gap-3">
      {providers.map((p) => (
        <Tested key={p.name} name={p.name} at_once={p.name === fresh} />
      ))}
      <Button className="self-start" onClick={() => setAdding(true)}>
        {t("start.provider.another")}
      </Button>
    </div>
  );
}

interface ModelStepProps {
  providers: Provider[];
  priced: number;
  /** free: nothing is charged, so models need no price. */
  free: boolean;
  made: string[];
  done: (models: string[]) => void;
}

function ModelStep({ providers, priced, free, made, done }: ModelStepProps) {
  const { t, tn } = useI18n();
  const [name, setName] = useState("");
  const provider = providers.find((p) => p.name === name) ?? providers[0];
  if (!provider) return null;
  return (
    <div className="flex flex-col gap-4">
      <p className="text-ink-3">
        {free ? t("start.models.optional") : t("start.models.about")} {priced > 0 && tn("start.models.have", priced)}
      </p>
      {providers.length > 1 && (
        <div className="max-w-xs">
          <SelectField label={t("provider.one")} value={provider.name} onChange={(e) => setName(e.target.value)}>
            {providers.map((p) => (
              <option key={p.name}>{p.name}</option>
            ))}
          </SelectField>
        </div>
      )}
      {made.length > 0 && <Note kind="ok">{t("start.models.made", { models: made.join(", ") })}</Note>}
      <CataloguePicker key={provider.name} provider={provider} done={done} />
    </div>
  );
}

function KeyStep({ secret, made }: { secret: string; made: (key: string) => void }) {
  const t = useT();
  const invalidate = useInvalidate();
  if (secret)
    return (
      <div className="flex flex-col gap-3">
        <p className="text-ink-3">{t("start.key.once")}</p>
        <Secret text={secret} />
      </div>
    );
  return (
    <div className="max-w-lg">
      <Form
        submit={t("keys.create")}
        save={async (value) => {
          const key = await api.post("/api/auth/keys", { body: { name: value("name") } });
          made(key.key);
          await invalidate("keys");
        }}
      >
        {(fault) => (
          <TextField
            name="name"
            label={t("keys.name")}
            defaultValue="my first app"
            error={fault("name")}
            maxLength={100}
            required
          />
        )}
      </Form>
    </div>
  );
}

function CallStep({ secret, models, came }: { secret: string; models: string[]; came: boolean }) {
  const t = useT();
  const say = useFault();
  const invalidate = useInvalidate();
  const balance = useQuery(balanceQuery);
  const [chosen, setChosen] = useState("");
  const model = models.includes(chosen) ? chosen : (models[0] ?? "");
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState("");
  const [fault, setFault] = useState<unknown>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another model, another answer
  useEffect(() => setAnswer(""), [model]);
  async function call() {
    setBusy(true);
    setFault(undefined);
    try {
      setAnswer(await ask(secret, model));
      await invalidate("calls", "balance");
    } catch (thrown) {
      setFault(thrown);
    } finally {
      setBusy(false);
    }
  }
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-end gap-3">
        <div className="min-w-56 flex-1 sm:max-w-sm">
          <SelectField label={t("start.call.model")} value={model} onChange={(e) => setChosen(e.target.value)}>
            {models.map((m) => (
              <option key={m}>{m}</option>
            ))}
          </SelectField>
        </div>
        {secret && (
          <Button look="primary" busy={busy} onClick={call}>
            {t("start.call.now")}
          </Button>
        )}
      </div>
      {answer && (
        <Note kind="ok">
          <p className="text-sm text-ink-3">{model}</p>
          <p className="whitespace-pre-wrap">{answer}</p>
        </Note>
      )}
      {fault !== undefined && <Note kind="danger">{say(fault)}</Note>}
      {balance.data?.billing === "on" && sign(balance.data.available) <= 0 && (
        <Note kind="warn">
          {t("start.call.broke")}{" "}
          <Link to="/admin/users" search={{}} className="text-accent underline">
            {t("users.grant")}
          </Link>
        </Note>
      )}
      <Snippets secret={secret || placeholder} model={model} />
      {came ? (
        <div className="flex flex-wrap items-center gap-3">
          <p>{t("start.call.came")}</p>
          <Link to="/calls" search={{}} className={buttonClass("primary", true)}>
            {t("start.call.see")}
          </Link>
        </div>
      ) : (
        <p role="status" className="text-ink-3">
          {t("start.call.waiting")} <Mono>{model}</Mono>
        </p>
      )}
    </div>
  );
}

/** ask makes a call as a program does, with the key and not with the session. */
async function ask(key: string, model: string): Promise<string> {
  const answer = await fetch(at("/v1/chat/completions"), {
    method: "POST",
    credentials: "omit",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "Hello!" }] }),
  }).catch(() => {
    throw new ApiError(0, "unreachable", "");
  });
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new ApiError(answer.status, value.error?.code ?? "", value.error?.message ?? "");
  return String(value.choices?.[0]?.message?.content ?? "");
}
