import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { type Answer, api } from "../api/client";
import { client, type Me, meQuery, useInvalidate, useMe } from "../app/session";
import { type Language, languages, useI18n, useT } from "../lib/i18n";
import { chooseTheme, type Theme, useTheme } from "../lib/theme";
import { Button } from "../ui/button";
import { Confirm } from "../ui/dialog";
import { Form, SelectField, TextField } from "../ui/form";
import { Card, Page, Time } from "../ui/page";
import { Badge, Loaded } from "../ui/states";
import { useToast } from "../ui/toast";
import { Factor } from "./factor";

type Session = Answer<"/api/auth/sessions">["data"][number];

/** Profile is what users say about themselves, and how they sign in. */
export function Profile() {
  const t = useT();
  const me = useMe();
  if (!me) return null;
  return (
    <Page title={t("nav.profile")} about={me.user.email}>
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <About me={me} />
        <Looks />
        <PasswordCard me={me} />
        <Card title={t("factor.title")}>
          <Factor me={me} />
        </Card>
        <Ways />
        <div className="lg:col-span-2">
          <Sessions />
        </div>
      </div>
    </Page>
  );
}

const zones = Intl.supportedValuesOf("timeZone");

function About({ me }: { me: Me }) {
  const { t, choose } = useI18n();
  const say = useToast();
  return (
    <Card title={t("profile.about")}>
      <Form
        submit={t("action.save")}
        save={async (value) => {
          const language = value("language") as Language | "";
          const now = await api.patch("/api/auth/me", { body: { name: value("name"), language, time_zone: value("time_zone") } });
          client.setQueryData(meQuery.queryKey, now);
          choose(language);
          say(t("action.saved"));
        }}
      >
        {(fault) => (
          <>
            <TextField
              name="name"
              label={t("field.name")}
              defaultValue={me.user.name}
              error={fault("name")}
              maxLength={100}
              autoComplete="name"
            />
            <SelectField
              name="language"
              label={t("language.label")}
              hint={t("profile.language.hint")}
              defaultValue={me.user.language}
              error={fault("language")}
            >
              <option value="">{t("language.browser")}</option>
              {Object.entries(languages).map(([tag, name]) => (
                <option key={tag} value={tag}>
                  {name}
                </option>
              ))}
            </SelectField>
            <SelectField name="time_zone" label={t("profile.zone")} defaultValue={me.user.time_zone} error={fault("time_zone")}>
              <option value="">{t("profile.zone.browser")}</option>
              {zones.map((z) => (
                <option key={z}>{z}</option>
              ))}
            </SelectField>
          </>
        )}
      </Form>
    </Card>
  );
}

function Looks() {
  const t = useT();
  const theme = useTheme();
  return (
    <Card title={t("theme.label")}>
      <SelectField
        label={t("theme.label")}
        hint={t("theme.hint")}
        value={theme}
        onChange={(e) => chooseTheme(e.target.value as Theme)}
      >
        {(["system", "light", "dark"] as const).map((x) => (
          <option key={x} value={x}>
            {t(`theme.${x}`)}
          </option>
        ))}
      </SelectField>
    </Card>
  );
}

function PasswordCard({ me }: { me: Me }) {
  const t = useT();
  const say = useToast();
  const invalidate = useInvalidate();
  const has = me.sign_in.password;
  return (
    <Card title={t("field.password")}>
      <Form
        submit={has ? t("password.change") : t("password.set")}
        save={async (value, form) => {
          await api.put("/api/auth/password", { body: { current: value("current"), password: value("password") } });
          form.reset();
          await invalidate("me", "sessions");
          say(t("password.changed"));
        }}
      >
        {(fault) => (
          <>
            <input type="hidden" name="username" autoComplete="username" value={me.user.email} readOnly />
            {has && (
              <TextField
                name="current"
                type="password"
                label={t("password.current")}
                error={fault("current")}
                autoComplete="current-password"
                required
              />
            )}
            <TextField
              name="password"
              type="password"
              label={t("field.password.new")}
              hint={t("password.hint")}
              error={fault("password")}
              autoComplete="new-password"
              minLength={10}
              required
            />
          </>
        )}
      </Form>
    </Card>
  );
}

/** Ways are the identity providers by which the user signs in, and those to add. */
function Ways() {
  const t = useT();
  const invalidate = useInvalidate();
  const linked = useQuery({ queryKey: ["identities"], queryFn: ({ signal }) => api.get("/api/auth/identities", { signal }) });
  const ways = useQuery({ queryKey: ["ways"], queryFn: ({ signal }) => api.get("/api/auth/providers", { signal }) });
  const [removing, setRemoving] = useState<string>();
  if (!ways.data?.providers.length && !linked.data?.data.length) return null;
  async function add(name: string) {
    const { url } = await api.post("/api/auth/oidc/{name}/start", {
      params: { name },
      body: { link: true, return_to: "/profile" },
    });
    location.assign(url);
  }
  return (
    <Card title={t("ways.title")}>
      <Loaded query={linked}>
        {({ data }) => (
          <ul className="flex flex-col gap-3">
            {data.map((i) => (
              <Row key={i.id} title={i.provider} about={i.email}>
                <Button small onClick={() => setRemoving(i.id)}>
                  {t("action.remove")}
                </Button>
              </Row>
            ))}
            {ways.data?.providers
              .filter((p) => !data.some((i) => i.provider === p.name))
              .map((p) => (
                <Row key={p.name} title={p.label} about={t("ways.not")}>
                  <Button small onClick={() => add(p.name)}>
                    {t("ways.add")}
                  </Button>
                </Row>
              ))}
          </ul>
        )}
      </Loaded>
      <Confirm
        open={removing !== undefined}
        onClose={() => setRemoving(undefined)}
        title={t("ways.remove")}
        consequences={t("ways.remove.consequences")}
        action={t("action.remove")}
        act={async () => {
          await api.delete("/api/auth/identities/{id}", { params: { id: removing ?? "" } });
          await invalidate("identities");
        }}
      />
    </Card>
  );
}

function Row({ title, about, children }: { title: ReactNode; about: ReactNode; children: ReactNode }) {
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

function Sessions() {
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
