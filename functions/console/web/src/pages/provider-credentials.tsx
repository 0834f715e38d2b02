import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import type { Answer } from "../api/client";
import { api } from "../api/client";
import { useInvalidate } from "../app/session";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm, Modal } from "../ui/dialog";
import { Form, TextField } from "../ui/form";
import { MenuItem, MenuLine, RowMenu } from "../ui/menu";
import { Time } from "../ui/page";
import { Badge, Empty, Loaded, Rows, useFault } from "../ui/states";
import { useToast } from "../ui/toast";
import { CredentialField, credentialOf, kindsQuery, type Provider } from "./provider-form";
import type { Health } from "./provider-health";

type Credential = Answer<"/api/admin/providers/{name}/credentials">["data"][number];

/** Credentials are what a provider is called with: they share its calls by weight. */
export function Credentials({ provider, health }: { provider: Provider; health: Health | undefined }) {
  const { t, known } = useI18n();
  const say = useToast();
  const fault = useFault();
  const invalidate = useInvalidate();
  const kinds = useQuery(kindsQuery);
  const kind = kinds.data?.data.find((k) => k.id === provider.kind);
  const [editing, setEditing] = useState<Credential | "new">();
  const [rotating, setRotating] = useState<Credential>();
  const [removing, setRemoving] = useState<Credential>();
  const credentials = useQuery({
    queryKey: ["credentials", provider.name],
    queryFn: ({ signal }) => api.get("/api/admin/providers/{name}/credentials", { params: { name: provider.name }, signal }),
  });
  const changed = () => invalidate("credentials", "providers", "health");
  const params = (c: Credential) => ({ name: provider.name, credential: c.name });
  async function turn(c: Credential) {
    try {
      await api.patch("/api/admin/providers/{name}/credentials/{credential}", { params: params(c), body: { active: !c.active } });
      await changed();
    } catch (thrown) {
      say(fault(thrown), true);
    }
  }
  return (
    <section>
      <div className="mb-3 flex items-center justify-between gap-3">
        <h3 className="font-semibold">{t("provider.credentials")}</h3>
        <Button small icon={<Plus aria-hidden className="size-4" />} onClick={() => setEditing("new")}>
          {t("credential.add")}
        </Button>
      </div>
      <Loaded query={credentials} loading={<Rows n={2} />}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title={t("credential.none")}>{t("credential.none.hint")}</Empty>
          ) : (
            <ul className="flex flex-col gap-2">
              {data.map((c) => {
                const h = health?.providers[provider.name]?.[c.name];
                return (
                  <li key={c.id} className="flex items-center gap-3 rounded-lg border border-line px-3 py-2">
                    <div className="min-w-0 flex-1">
                      <p className="flex flex-wrap items-center gap-2 font-medium">
                        {c.name}
                        {!c.active ? (
                          <Badge>{t("credential.off")}</Badge>
                        ) : (
                          h && <Badge kind={h.running ? "ok" : "danger"}>{known(`credential.state.${h.state}`, h.state)}</Badge>
                        )}
                      </p>
                      <p className="text-sm text-ink-3">
                        {t("credential.weight")} {c.weight}
                        {c.max_concurrent > 0 && ` · ${t("credential.most", { n: c.max_concurrent })}`}
                        {h?.reason && ` · ${h.reason}`}
                        {c.error && ` · ${c.error}`}
                        {h?.until && (
                          <>
                            {" · "}
                            {t("credential.until")} <Time at={h.until} />
                          </>
                        )}
                      </p>
                    </div>
                    <RowMenu label={t("action.menu.of", { name: c.name })}>
                      <MenuItem onClick={() => setEditing(c)}>{t("action.edit")}</MenuItem>
                      <MenuItem onClick={() => setRotating(c)}>{t("credential.rotate")}</MenuItem>
                      <MenuItem onClick={() => turn(c)}>{c.active ? t("credential.disable") : t("credential.enable")}</MenuItem>
                      <MenuLine />
                      <MenuItem danger onClick={() => setRemoving(c)}>
                        {t("action.remove")}
                      </MenuItem>
                    </RowMenu>
                  </li>
                );
              })}
            </ul>
          )
        }
      </Loaded>
      <Modal
        open={editing !== undefined}
        onClose={() => setEditing(undefined)}
        title={editing === "new" ? t("credential.add") : t("credential.edit")}
      >
        <Form
          submit={editing === "new" ? t("credential.add") : t("action.save")}
          onCancel={() => setEditing(undefined)}
          save={async (value) => {
            if (editing === "new")
              await api.post("/api/admin/providers/{name}/credentials", {
                params: { name: provider.name },
                body: { name: value("name"), value: credentialOf(value), weight: Number(value("weight") || 100) },
              });
            else if (editing)
              await api.patch("/api/admin/providers/{name}/credentials/{credential}", {
                params: params(editing),
                body: { weight: Number(value("weight") || 100), max_concurrent: Number(value("max_concurrent") || 0) },
              });
            await changed();
            setEditing(undefined);
          }}
        >
          {(fault) => (
            <>
              {editing === "new" && (
                <>
                  <TextField
                    name="name"
                    label={t("credential.name")}
                    hint={t("credential.name.hint")}
                    error={fault("name")}
                    maxLength={64}
                    required
                  />
                  <CredentialField kind={kind} fault={fault("value") ?? fault("credential")} />
                </>
              )}
              <TextField
                name="weight"
                type="number"
                min={0}
                label={t("credential.weight")}
                hint={t("credential.weight.hint")}
                defaultValue={editing !== "new" ? editing?.weight : 100}
                error={fault("weight")}
              />
              {editing !== "new" && (
                <TextField
                  name="max_concurrent"
                  type="number"
                  min={0}
                  label={t("credential.concurrent")}
                  hint={t("credential.concurrent.hint")}
                  defaultValue={editing?.max_concurrent}
                  error={fault("max_concurrent")}
                />
              )}
            </>
          )}
        </Form>
      </Modal>
      <Modal
        open={rotating !== undefined}
        onClose={() => setRotating(undefined)}
        title={t("credential.rotate.title", { name: rotating?.name ?? "" })}
        about={t("credential.rotate.about")}
      >
        <Form
          submit={t("credential.rotate")}
          onCancel={() => setRotating(undefined)}
          save={async (value) => {
            if (!rotating) return;
            await api.patch("/api/admin/providers/{name}/credentials/{credential}", {
              params: params(rotating),
              body: { value: credentialOf(value), active: true },
            });
            await changed();
            say(t("credential.rotated"));
            setRotating(undefined);
          }}
        >
          {(fault) => <CredentialField kind={kind} fault={fault("value") ?? fault("credential")} />}
        </Form>
      </Modal>
      <Confirm
        open={removing !== undefined}
        onClose={() => setRemoving(undefined)}
        title={t("credential.remove.title", { name: removing?.name ?? "" })}
        consequences={t("credential.remove.consequences")}
        action={t("action.remove")}
        act={async () => {
          if (!removing) return;
          await api.delete("/api/admin/providers/{name}/credentials/{credential}", { params: params(removing) });
          await changed();
        }}
      />
    </section>
  );
}
