import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { type Answer, api } from "../api/client";
import { client, useInvalidate } from "../app/session";
import { useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm } from "../ui/dialog";
import { Card, Time } from "../ui/page";
import { Badge, Loaded } from "../ui/states";

type Session = Answer<"/api/auth/sessions">["data"][number];

/** Row is one of several things of the same kind on a card. */
export function Row({ title, about, children }: { title: ReactNode; about: ReactNode; children: ReactNode }) {
  return (
    <li className="flex items-center gap-3">
      <div className="min-w-0 flex-1">
        <p className="font-medium">{title}</p>
        <p className="text-sm text-ink-3">{about}</p>
      </div>
      {children}
    </li>
  );
}

/** agent is the browser and the system of a user agent's long name. */
export function agent(text: string): string {
  const browser = /(Edg|OPR|Firefox|Chrome|Safari)\/(\d+)/.exec(text);
  const system = /(Windows|Mac OS X|iPhone|iPad|Android|Linux)/.exec(text)?.[1];
  const names: Record<string, string> = { Edg: "Edge", OPR: "Opera" };
  if (!browser?.[1]) return text.slice(0, 60) || "–";
  return [names[browser[1]] ?? browser[1], browser[2], system && `· ${system}`].filter(Boolean).join(" ");
}

/** Sessions are where the user is signed in. */
export function Sessions() {
  const t = useT();
  const navigate = useNavigate();
  const invalidate = useInvalidate();
  const sessions = useQuery({ queryKey: ["sessions"], queryFn: ({ signal }) => api.get("/api/auth/sessions", { signal }) });
  const [ending, setEnding] = useState<Session | "others">();
  const others = (sessions.data?.data.length ?? 0) > 1;
  return (
    <Card
      title={t("sessions.title")}
      action={
        others && (
          <Button small onClick={() => setEnding("others")}>
            {t("sessions.others")}
          </Button>
        )
      }
    >
      <Loaded query={sessions}>
        {({ data }) => (
          <ul className="flex flex-col gap-3">
            {data.map((s) => (
              <Row
                key={s.id}
                title={
                  <>
                    {agent(s.agent)} {s.current && <Badge kind="ok">{t("sessions.current")}</Badge>}
                  </>
                }
                about={
                  <>
                    {s.address} · {t("sessions.seen")} <Time at={s.seen_at} />
                  </>
                }
              >
                <Button small onClick={() => setEnding(s)}>
                  {t("sessions.end")}
                </Button>
              </Row>
            ))}
          </ul>
        )}
      </Loaded>
      <Confirm
        open={ending !== undefined}
        onClose={() => setEnding(undefined)}
        title={ending === "others" ? t("sessions.others") : t("sessions.end")}
        consequences={ending !== "others" && ending?.current ? t("sessions.end.own") : t("sessions.end.consequences")}
        action={t("sessions.end")}
        act={async () => {
          if (ending === "others") await api.delete("/api/auth/sessions");
          else if (ending) await api.delete("/api/auth/sessions/{id}", { params: { id: ending.id } });
          if (ending !== "others" && ending?.current) {
            client.clear();
            await navigate({ to: "/sign-in", search: {} });
          } else await invalidate("sessions");
        }}
      />
    </Card>
  );
}
