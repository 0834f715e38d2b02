import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { count } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Button, buttonClass } from "../ui/button";
import { Confirm, Drawer } from "../ui/dialog";
import { Amount, Facts, Mono, Time } from "../ui/page";
import { Badge, Empty, Loaded, Rows } from "../ui/states";
import { KeyState } from "./keys";
import { agent } from "./sessions";

type Doing =
  | { kind: "sessions" | "factor" }
  | { kind: "key"; id: string; name: string }
  | { kind: "session"; id: string; name: string };
type Detail = Answer<"/api/admin/users/{email}">;

/** UserDrawer shows a user's keys and sessions to an admin, and ends them. */
export function UserDrawer({ email, onClose }: { email: string | undefined; onClose: () => void }) {
  const t = useT();
  return (
    <Drawer open={email !== undefined} onClose={onClose} title={email ?? ""}>
      {email && <Whole key={email} email={email} />}
      {!email && t("state.loading")}
    </Drawer>
  );
}

function Whole({ email }: { email: string }) {
  const t = useT();
  const invalidate = useInvalidate();
  const [doing, setDoing] = useState<Doing>();
  const detail = useQuery({
    queryKey: ["user", email, "detail"],
    queryFn: ({ signal }) => api.get("/api/admin/users/{email}", { params: { email }, signal }),
  });
  const keys = useQuery({
    queryKey: ["user", email, "keys"],
    queryFn: ({ signal }) => api.get("/api/admin/keys", { query: { user: email, pageSize: 100 }, signal }),
  });
  const sessions = useQuery({
    queryKey: ["user", email, "sessions"],
    queryFn: ({ signal }) => api.get("/api/admin/users/{email}/sessions", { params: { email }, signal }),
  });
  const words = {
    sessions: [t("user.sessions.end"), t("sessions.end.consequences")],
    factor: [t("user.factor"), t("user.factor.consequences")],
    session: [t("sessions.end"), t("sessions.end.consequences")],
    key: [t("keys.revoke"), t("keys.revoke.consequences")],
  } as const;
  return (
    <div className="flex flex-col gap-7">
      <Loaded query={detail} loading={<Rows n={5} />}>
        {(user) => <About user={user} act={setDoing} />}
      </Loaded>
      <section>
        <h3 className="mb-2 font-semibold">{t("nav.keys")}</h3>
        <Loaded query={keys} loading={<Rows n={3} />}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty title={t("user.keys.none")} />
            ) : (
              <ul className="divide-y divide-line rounded-lg border border-line">
                {data.map((k) => (
                  <li key={k.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2">
                    <span className="min-w-0 flex-1 font-medium">{k.name}</span>
                    <Mono>…{k.hint}</Mono>
                    <KeyState of={k} />
                    {!k.revoked_at && (
                      <Button small onClick={() => setDoing({ kind: "key", id: k.id, name: k.name })}>
                        {t("keys.revoke")}
                      </Button>
                    )}
                  </li>
                ))}
              </ul>
            )
          }
        </Loaded>
      </section>
      <section>
        <div className="mb-2 flex items-center justify-between gap-3">
          <h3 className="font-semibold">{t("sessions.title")}</h3>
          {(sessions.data?.data.length ?? 0) > 0 && (
            <Button small onClick={() => setDoing({ kind: "sessions" })}>
              {t("user.sessions.end")}
            </Button>
          )}
        </div>
        <Loaded query={sessions} loading={<Rows n={3} />}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty title={t("user.sessions.none")} />
            ) : (
              <ul className="divide-y divide-line rounded-lg border border-line">
                {data.map((s) => (
                  <li key={s.id} className="flex items-center gap-3 px-3 py-2">
                    <div className="min-w-0 flex-1">
                      <p className="font-medium">{agent(s.agent)}</p>
                      <p className="text-sm text-ink-3">
                        {s.address} · {t("sessions.seen")} <Time at={s.seen_at} />
                      </p>
                    </div>
                    <Button small onClick={() => setDoing({ kind: "session", id: s.id, name: agent(s.agent) })}>
                      {t("sessions.end")}
                    </Button>
                  </li>
                ))}
              </ul>
            )
          }
        </Loaded>
      </section>
      <Confirm
        open={doing !== undefined}
        onClose={() => setDoing(undefined)}
        title={doing?.kind === "key" ? t("keys.revoke.title", { name: doing.name }) : doing ? words[doing.kind][0] : ""}
        consequences={doing ? words[doing.kind][1] : ""}
        action={doing ? words[doing.kind][0] : ""}
        act={async () => {
          if (doing?.kind === "key") await api.delete("/api/admin/keys/{id}", { params: { id: doing.id } });
          if (doing?.kind === "session") await api.delete("/api/admin/sessions/{id}", { params: { id: doing.id } });
          if (doing?.kind === "sessions") await api.delete("/api/admin/users/{email}/sessions", { params: { email } });
          if (doing?.kind === "factor") await api.delete("/api/admin/users/{email}/second-factor", { params: { email } });
          await invalidate("user");
        }}
      />
    </div>
  );
}

/** About says what an admin decides by: who it is, what there is to spend, how the user signs in and what was used. */
function About({ user: u, act }: { user: Detail; act: (doing: Doing) => void }) {
  const { t, known, format } = useI18n();
  return (
    <>
      <Facts
        items={[
          u.name !== "" && [t("field.name"), u.name],
          [t("users.role"), <Badge key="r">{t(`role.${u.role}`)}</Badge>],
          u.disabled_at !== null && [
            t("keys.state"),
            <Badge key="d" kind="danger">
              {t("users.disabled")}
            </Badge>,
          ],
          u.groups.length > 0 && [t("users.groups"), u.groups.join(", ")],
          u.did !== "" && ["DID", <Mono key="did">{u.did}</Mono>],
          [t("keys.created"), <Time key="c" at={u.created_at} exact />],
        ]}
      />
      <section>
        <div className="mb-2 flex items-center justify-between gap-3">
          <h3 className="font-semibold">{t("user.wallet")}</h3>
          <Link to="/admin/credits" search={{ wallet: u.wallet.account_id }} className={buttonClass("plain", true)}>
            {t("user.wallet.open")}
          </Link>
        </div>
        <Facts
          items={[
            [t("credits.available"), <Amount key="a" of={u.wallet.available} />],
            u.wallet.held !== "0" && [t("credits.held"), <Amount key="h" of={u.wallet.held} />],
            u.wallet.debt !== "0" && [t("credits.debt"), <Amount key="d" of={u.wallet.debt} />],
          ]}
        />
      </section>
      <section>
        <div className="mb-2 flex items-center justify-between gap-3">
          <h3 className="font-semibold">{t("keys.use")}</h3>
          <Link to="/calls" search={{ user: u.id, everyone: true }} className="text-sm text-accent hover:underline">
            {t("calls.these")}
          </Link>
        </div>
        <Facts
          items={[
            [t("nav.calls"), count(format, u.use.calls)],
            [t("keys.failed"), count(format, u.use.failed)],
            [t("call.tokens"), `${count(format, u.use.input_tokens)} → ${count(format, u.use.output_tokens)}`],
            [t("call.credits"), <Amount key="c" of={u.use.credits} />],
          ]}
        />
      </section>
      <section>
        <h3 className="mb-2 font-semibold">{t("keys.limits")}</h3>
        {u.limits.length === 0 ? (
          <p className="text-ink-3">{t("user.limits.none")}</p>
        ) : (
          <Facts
            items={u.limits.map(
              (l) => [known(`limit.${l.metric}.${l.period || "now"}`, `${l.metric} ${l.period}`), l.amount] as const,
            )}
          />
        )}
      </section>
      <section>
        <h3 className="mb-2 font-semibold">{t("ways.title")}</h3>
        <ul className="divide-y divide-line rounded-lg border border-line">
          <li className="flex items-center justify-between gap-3 px-3 py-2">
            <span>{t("field.password")}</span>
            <Badge kind={u.password ? "ok" : undefined}>{u.password ? t("user.set") : t("user.unset")}</Badge>
          </li>
          <li className="flex items-center justify-between gap-3 px-3 py-2">
            <span>{t("factor.title")}</span>
            {u.second_factor ? (
              <Button small onClick={() => act({ kind: "factor" })}>
                {t("user.factor")}
              </Button>
            ) : (
              <Badge>{t("user.unset")}</Badge>
            )}
          </li>
          {u.ways.map((way) => (
            <li key={way.issuer} className="px-3 py-2">
              <Mono>{way.issuer}</Mono>
              <p className="text-sm text-ink-3">
                {way.email} · <Time at={way.used_at} />
              </p>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}
