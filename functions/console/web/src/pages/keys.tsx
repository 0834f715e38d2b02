import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { KeyRound, Plus, RotateCcw, SquarePen, Trash2 } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { count, share } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Secret } from "../ui/copy";
import { Confirm, Drawer, Modal } from "../ui/dialog";
import { Form, SelectField } from "../ui/form";
import { Listing } from "../ui/listing";
import { MenuItem, MenuLine, RowMenu } from "../ui/menu";
import { Amount, Card, Facts, Mono, Page, Time } from "../ui/page";
import { Snippets } from "../ui/snippets";
import { Badge, Loaded, Note } from "../ui/states";
import type { Column } from "../ui/table";
import { type KeyDetail, KeyForm } from "./key-form";

type KeyRow = Answer<"/api/auth/keys">["data"][number];

type Act =
  | { kind: "create" }
  | { kind: "edit" | "rotate" | "revoke"; key: KeyRow }
  | { kind: "show"; secret: string; until?: string | null };

function useKey(id: string | undefined) {
  return useQuery({
    queryKey: ["keys", "one", id],
    queryFn: ({ signal }) => api.get("/api/auth/keys/{id}", { params: { id: id ?? "" }, signal }),
    enabled: id !== undefined,
  });
}

export function KeyState({ of: k }: { of: Pick<KeyRow, "revoked_at" | "expires_at" | "old"> }) {
  const t = useT();
  if (k.revoked_at) return <Badge kind="danger">{t("keys.revoked")}</Badge>;
  if (k.expires_at && new Date(k.expires_at).getTime() < Date.now()) return <Badge kind="warn">{t("keys.expired")}</Badge>;
  if (k.old) return <Badge kind="info">{t("keys.rotating")}</Badge>;
  return <Badge kind="ok">{t("keys.active")}</Badge>;
}

/** Keys are the caller's API keys. */
export function Keys() {
  const t = useT();
  const navigate = useNavigate({ from: "/keys" });
  const search = useSearch({ from: "/inside/keys" });
  const invalidate = useInvalidate();
  const [act, setAct] = useState<Act>();
  const making = act === undefined ? search.make : undefined; // a link from elsewhere: "key", or the app that it is for
  const keys = useQuery({
    queryKey: ["keys", "list", search.cursor],
    queryFn: ({ signal }) => api.get("/api/auth/keys", { query: { cursor: search.cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
  });
  const close = () => {
    setAct(undefined);
    if (search.make) void navigate({ search: (old) => ({ ...old, make: undefined }), replace: true });
  };
  const show = (key: KeyRow) => navigate({ search: (old) => ({ ...old, key: key.id }) });

  const columns: Column<KeyRow>[] = [
    {
      key: "name",
      head: t("keys.name"),
      cell: (k) => (
        <button type="button" onClick={() => show(k)} className="text-left font-medium hover:underline">
          {k.name}
        </button>
      ),
    },
    { key: "hint", head: t("keys.key"), cell: (k) => <Mono>…{k.hint}</Mono>, from: "sm" },
    { key: "state", head: t("keys.state"), cell: (k) => <KeyState of={k} /> },
    {
      key: "terms",
      head: t("keys.terms"),
      from: "lg",
      cell: (k) => (
        <span className="flex flex-wrap gap-1">
          {k.models && <Badge>{t("keys.some.models", { n: k.models.length })}</Badge>}
          {k.ips && <Badge>{t("keys.some.ips")}</Badge>}
          {k.scopes && <Badge>{k.scopes.map((s) => t(`scope.${s}`)).join(", ")}</Badge>}
          {k.app && <Badge kind="info">{t("keys.service")}</Badge>}
          {!k.models && !k.ips && !k.scopes && !k.app && <span className="text-ink-3">{t("keys.some.none")}</span>}
        </span>
      ),
    },
    {
      key: "used",
      head: t("keys.used"),
      from: "md",
      cell: (k) => (k.last_used_at ? <Time at={k.last_used_at} /> : <span className="text-ink-3">{t("keys.never")}</span>),
    },
    {
      key: "expires",
      head: t("keys.until"),
      from: "lg",
      cell: (k) => (k.expires_at ? <Time at={k.expires_at} /> : <span className="text-ink-3">{t("keys.always")}</span>),
    },
    {
      key: "menu",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (k) =>
        !k.revoked_at && (
          <RowMenu label={t("action.menu.of", { name: k.name })}>
            <MenuItem icon={<SquarePen aria-hidden className="size-4" />} onClick={() => setAct({ kind: "edit", key: k })}>
              {t("action.edit")}
            </MenuItem>
            <MenuItem icon={<RotateCcw aria-hidden className="size-4" />} onClick={() => setAct({ kind: "rotate", key: k })}>
              {t("keys.rotate")}
            </MenuItem>
            <MenuLine />
            <MenuItem danger icon={<Trash2 aria-hidden className="size-4" />} onClick={() => setAct({ kind: "revoke", key: k })}>
              {t("keys.revoke")}
            </MenuItem>
          </RowMenu>
        ),
    },
  ];
  const create = (
    <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => setAct({ kind: "create" })}>
      {t("keys.create")}
    </Button>
  );

  return (
    <Page title={t("nav.keys")} about={t("keys.about")} actions={create}>
      <Card flush>
        <Listing
          query={keys}
          label={t("nav.keys")}
          columns={columns}
          id={(k) => k.id}
          open={show}
          icon={<KeyRound aria-hidden className="size-5" />}
          none={t("keys.none")}
          hint={t("keys.none.hint")}
        />
      </Card>
      <KeyDrawer id={search.key} onClose={() => navigate({ search: (old) => ({ ...old, key: undefined }) })} />

      <Modal
        wide
        open={act?.kind === "create" || making !== undefined}
        onClose={close}
        title={t("keys.create")}
        about={t("keys.create.about")}
      >
        <KeyForm
          app={making === "key" ? undefined : making}
          submit={t("keys.create")}
          onCancel={close}
          save={async (name, terms) => {
            const made = await api.post("/api/auth/keys", { body: { name, ...terms } });
            await invalidate("keys", "apps");
            setAct({ kind: "show", secret: made.key });
          }}
        />
      </Modal>
      <Modal wide open={act?.kind === "edit"} onClose={close} title={t("keys.edit")} about={t("keys.edit.about")}>
        {act?.kind === "edit" && <Edit id={act.key.id} onClose={close} />}
      </Modal>
      <Modal open={act?.kind === "rotate"} onClose={close} title={t("keys.rotate")} about={t("keys.rotate.about")}>
        {act?.kind === "rotate" && (
          <Form
            submit={t("keys.rotate")}
            onCancel={close}
            save={async (value) => {
              const made = await api.post("/api/auth/keys/{id}/rotate", {
                params: { id: act.key.id },
                body: { grace_seconds: Number(value("grace")) },
              });
              await invalidate("keys");
              setAct({ kind: "show", secret: made.key, until: made.old_until });
            }}
          >
            {(fault) => (
              <SelectField name="grace" label={t("keys.grace")} defaultValue="86400" error={fault("grace_seconds")}>
                {(["0", "3600", "86400", "604800"] as const).map((s) => (
                  <option key={s} value={s}>
                    {t(`keys.grace.${s}`)}
                  </option>
                ))}
              </SelectField>
            )}
          </Form>
        )}
      </Modal>
      <Modal keep open={act?.kind === "show"} onClose={close} title={t("keys.shown")} about={t("keys.shown.about")} wide>
        {act?.kind === "show" && <Shown secret={act.secret} until={act.until} onClose={close} />}
      </Modal>
      <Confirm
        open={act?.kind === "revoke"}
        onClose={close}
        title={t("keys.revoke.title", { name: act?.kind === "revoke" ? act.key.name : "" })}
        consequences={t("keys.revoke.consequences")}
        action={t("keys.revoke")}
        act={async () => {
          if (act?.kind !== "revoke") return;
          await api.delete("/api/auth/keys/{id}", { params: { id: act.key.id } });
          await invalidate("keys");
        }}
      />
    </Page>
  );
}

function Shown({ secret, until, onClose }: { secret: string; until?: string | null; onClose: () => void }) {
  const t = useT();
  const some = useQuery({
    queryKey: ["prices", "one"],
    queryFn: ({ signal }) => api.get("/api/billing/prices", { query: { type: "chatCompletion", pageSize: 1 }, signal }),
  });
  return (
    <div className="flex flex-col gap-4">
      <Secret text={secret} />
      {until && (
        <Note>
          {t("keys.shown.old")} <Time at={until} exact />
        </Note>
      )}
      <Snippets secret={secret} model={some.data?.data[0]?.model ?? "provider/model"} />
      <Button look="primary" onClick={onClose} className="self-end">
        {t("keys.kept")}
      </Button>
    </div>
  );
}

function Edit({ id, onClose }: { id: string; onClose: () => void }) {
  const t = useT();
  const invalidate = useInvalidate();
  const key = useKey(id);
  return (
    <Loaded query={key}>
      {(key) => (
        <KeyForm
          submit={t("action.save")}
          key_={key}
          onCancel={onClose}
          save={async (name, terms) => {
            await api.patch("/api/auth/keys/{id}", { params: { id }, body: { name, ...terms } });
            await invalidate("keys");
            onClose();
          }}
        />
      )}
    </Loaded>
  );
}

function KeyDrawer({ id, onClose }: { id: string | undefined; onClose: () => void }) {
  const { t } = useI18n();
  const key = useKey(id);
  return (
    <Drawer
      open={id !== undefined}
      onClose={onClose}
      title={key.data?.name ?? t("keys.one")}
      about={key.data && <Mono>…{key.data.hint}</Mono>}
    >
      <Loaded query={key}>{(key) => <KeyFacts of={key} />}</Loaded>
    </Drawer>
  );
}

function KeyFacts({ of: k }: { of: KeyDetail }) {
  const { t, known, format } = useI18n();
  const wallets = useQuery({ queryKey: ["wallets"], queryFn: ({ signal }) => api.get("/api/user/wallets", { signal }) });
  const app = useQuery({
    queryKey: ["apps", "one", k.app],
    queryFn: ({ signal }) => api.get("/api/auth/apps/{id}", { params: { id: k.app }, signal }),
    enabled: k.app !== "",
  });
  return (
    <div className="flex flex-col gap-6">
      <Facts
        items={[
          [t("keys.state"), <KeyState key="s" of={k} />],
          [t("keys.created"), <Time key="c" at={k.created_at} exact />],
          [t("keys.until"), k.expires_at ? <Time key="u" at={k.expires_at} exact /> : t("keys.always")],
          [t("keys.used"), k.last_used_at ? <Time key="l" at={k.last_used_at} exact /> : t("keys.never")],
          k.old !== null && [t("keys.old"), <Time key="o" at={k.old.until} exact />],
          [t("keys.models"), k.models ? <Mono key="m">{k.models.join(", ")}</Mono> : t("keys.all")],
          [t("keys.ips"), k.ips ? <Mono key="i">{k.ips.join(", ")}</Mono> : t("keys.all")],
          k.app !== "" && [
            t("keys.app"),
            <Link key="a" to="/apps" search={{ app: k.app }} className="text-accent break-all hover:underline">
              {app.data?.name || k.app}
            </Link>,
          ],
          [t("keys.wallet"), wallets.data?.data.find((w) => w.id === k.wallet_id)?.name ?? t("keys.wallet.own")],
          [t("keys.scopes"), k.scopes ? k.scopes.map((s) => t(`scope.${s}`)).join(", ") : t("keys.all")],
        ]}
      />
      <section>
        <div className="mb-2 flex items-center justify-between gap-3">
          <h3 className="font-semibold">{t("keys.use")}</h3>
          <Link to="/calls" search={{ key: k.id }} className="text-sm text-accent hover:underline">
            {t("calls.these")}
          </Link>
        </div>
        <Facts
          items={[
            [t("nav.calls"), count(format, k.use.calls)],
            [t("keys.failed"), count(format, k.use.failed)],
            [t("call.tokens"), `${count(format, k.use.input_tokens)} → ${count(format, k.use.output_tokens)}`],
            [t("call.credits"), <Amount key="c" of={k.use.credits} />],
          ]}
        />
      </section>
      {k.limits.length > 0 && (
        <section>
          <h3 className="mb-2 font-semibold">{t("keys.limits")}</h3>
          <ul className="flex flex-col gap-3">
            {k.limits.map((l) => (
              <li key={l.id}>
                <div className="flex justify-between gap-3">
                  <span>{known(`limit.${l.metric}.${l.period || "now"}`, `${l.metric} ${l.period}`)}</span>
                  <span className="tabular-nums">
                    {l.used} / {l.amount}
                  </span>
                </div>
                <progress aria-label={l.metric} max={100} value={share(l.used, l.amount)} className="w-full" />
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}
