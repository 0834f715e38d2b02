import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import { useInvalidate } from "../app/session";
import { useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm, Drawer } from "../ui/dialog";
import { Mono, Time } from "../ui/page";
import { Empty, Loaded, Rows } from "../ui/states";
import { KeyState } from "./keys";
import { agent } from "./sessions";

type Doing = { kind: "sessions" | "factor" } | { kind: "key"; id: string; name: string };

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
    key: [t("keys.revoke"), t("keys.revoke.consequences")],
  } as const;
  return (
    <div className="flex flex-col gap-7">
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
                  <li key={s.id} className="px-3 py-2">
                    <p className="font-medium">{agent(s.agent)}</p>
                    <p className="text-sm text-ink-3">
                      {s.address} · {t("sessions.seen")} <Time at={s.seen_at} />
                    </p>
                  </li>
                ))}
              </ul>
            )
          }
        </Loaded>
      </section>
      <Button className="self-start" onClick={() => setDoing({ kind: "factor" })}>
        {t("user.factor")}
      </Button>
      <Confirm
        open={doing !== undefined}
        onClose={() => setDoing(undefined)}
        title={doing?.kind === "key" ? t("keys.revoke.title", { name: doing.name }) : doing ? words[doing.kind][0] : ""}
        consequences={doing ? words[doing.kind][1] : ""}
        action={doing ? words[doing.kind][0] : ""}
        act={async () => {
          if (doing?.kind === "key") await api.delete("/api/admin/keys/{id}", { params: { id: doing.id } });
          if (doing?.kind === "sessions") await api.delete("/api/admin/users/{email}/sessions", { params: { email } });
          if (doing?.kind === "factor") await api.delete("/api/admin/users/{email}/second-factor", { params: { email } });
          await invalidate("user");
        }}
      />
    </div>
  );
}
