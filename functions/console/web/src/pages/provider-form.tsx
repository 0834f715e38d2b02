import { queryOptions, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Answer, ApiError, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { useT } from "../lib/i18n";
import { Field, Form, SelectField, TextField } from "../ui/form";
import { Loaded } from "../ui/states";

export const kindsQuery = queryOptions({
  queryKey: ["kinds"],
  queryFn: ({ signal }) => api.get("/api/admin/provider-kinds", { signal }),
  staleTime: Number.POSITIVE_INFINITY,
});
export const providersQuery = queryOptions({
  queryKey: ["providers"],
  queryFn: ({ signal }) => api.get("/api/admin/providers", { signal }),
});
export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: ({ signal }) => api.get("/api/ai/health", { signal }),
  refetchInterval: 30_000,
});

type Kind = Answer<"/api/admin/provider-kinds">["data"][number];
export type Provider = Answer<"/api/admin/providers">["data"][number];
export type Probe = Answer<"/api/admin/providers/{name}/test", "post">["data"][number];

const works = 2500; // ms after which a change is known to every process of the hub

/** test asks a provider whether it takes its credentials; free of charge. One that was just added may not be known yet. */
export async function test(name: string): Promise<Probe[]> {
  for (const until = Date.now() + works; ; ) {
    const late = Date.now() >= until;
    try {
      const { data } = await api.post("/api/admin/providers/{name}/test", { params: { name } });
      if (data.length > 0 || late) return data;
    } catch (fault) {
      if (late || !(fault instanceof ApiError) || fault.status !== 404) throw fault;
    }
    await new Promise((wake) => setTimeout(wake, 400));
  }
}

/** CredentialField asks for a credential in the form that the kind wants. The form reads it by credentialOf. */
export function CredentialField({ kind, fault, optional }: { kind: Kind | undefined; fault?: string; optional?: boolean }) {
  const t = useT();
  if (kind?.credential === "access_key_pair")
    return (
      <>
        <TextField
          name="access_key_id"
          label={t("credential.key_id")}
          hint={t("credential.bedrock")}
          error={fault}
          autoComplete="off"
        />
        <TextField name="secret_access_key" type="password" label={t("credential.secret")} autoComplete="off" />
        <TextField name="credential" type="password" label={t("credential.api_key")} autoComplete="off" />
      </>
    );
  if (kind?.credential === "service_account")
    return (
      <Field label={t("credential.account")} hint={t("credential.account.hint")} error={fault}>
        {(own) => <textarea {...own} name="credential" rows={5} spellCheck={false} className="input font-mono text-sm" />}
      </Field>
    );
  return (
    <TextField
      name="credential"
      type="password"
      label={t("credential.api_key")}
      hint={kind?.key_optional ? t("credential.optional") : t("credential.sealed")}
      error={fault}
      autoComplete="off"
      required={!kind?.key_optional && !optional}
    />
  );
}

/** credentialOf is what CredentialField was given. */
export function credentialOf(value: (name: string) => string): string {
  if (!value("access_key_id")) return value("credential");
  return JSON.stringify({ access_key_id: value("access_key_id"), secret_access_key: value("secret_access_key") });
}

/** ProviderForm adds a provider with its first credential. */
export function ProviderForm({ added, onCancel }: { added: (provider: Provider) => void; onCancel?: () => void }) {
  const t = useT();
  const kinds = useQuery(kindsQuery);
  const invalidate = useInvalidate();
  const [id, setID] = useState("openai");
  return (
    <Loaded query={kinds}>
      {({ data }) => {
        const kind = data.find((k) => k.id === id);
        const regional = kind?.base_url.includes("{region}");
        return (
          <Form
            submit={t("provider.add")}
            onCancel={onCancel}
            save={async (value) => {
              const provider = await api.post("/api/admin/providers", {
                body: {
                  kind: id,
                  name: value("name"),
                  base_url: value("base_url"),
                  region: value("region"),
                  credential: credentialOf(value),
                },
              });
              await invalidate("providers", "health", "credentials");
              added(provider);
            }}
          >
            {(fault) => (
              <>
                <SelectField
                  name="kind"
                  label={t("provider.kind")}
                  value={id}
                  onChange={(e) => setID(e.target.value)}
                  error={fault("kind")}
                  hint={
                    kind?.docs && (
                      <a href={kind.docs} target="_blank" rel="noreferrer" className="text-accent hover:underline">
                        {t("provider.docs")}
                      </a>
                    )
                  }
                >
                  {data.map((k) => (
                    <option key={k.id} value={k.id}>
                      {k.title}
                    </option>
                  ))}
                </SelectField>
                <CredentialField kind={kind} fault={fault("credential")} />
                {regional && (
                  <TextField
                    name="region"
                    label={t("provider.region")}
                    placeholder="us-east-1"
                    error={fault("region")}
                    required
                  />
                )}
                {kind?.base_url === "" ? (
                  <TextField
                    name="base_url"
                    type="url"
                    label={t("provider.url")}
                    placeholder="https://"
                    error={fault("base_url")}
                    required
                  />
                ) : null}
                <details>
                  <summary className="text-ink-2">{t("action.more")}</summary>
                  <div className="mt-3 flex flex-col gap-4">
                    <TextField
                      name="name"
                      label={t("provider.name")}
                      hint={t("provider.name.hint")}
                      placeholder={id}
                      error={fault("name")}
                    />
                    {kind?.base_url !== "" && (
                      <TextField
                        key={id}
                        name="base_url"
                        label={t("provider.url")}
                        hint={t("provider.url.hint")}
                        placeholder={kind?.base_url}
                        error={fault("base_url")}
                      />
                    )}
                  </div>
                </details>
              </>
            )}
          </Form>
        );
      }}
    </Loaded>
  );
}
