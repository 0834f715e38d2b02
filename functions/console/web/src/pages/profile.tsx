import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import { userCentre } from "../app/host";
import { client, type Me, meQuery, useInvalidate, useMe, waysQuery } from "../app/session";
import { type Language, languages, useI18n, useT } from "../lib/i18n";
import { chooseTheme, onHost, type Theme, useTheme } from "../lib/theme";
import { Button, buttonClass } from "../ui/button";
import { Confirm } from "../ui/dialog";
import { Form, NewPassword, SelectField, TextField } from "../ui/form";
import { Card, Facts, Mono, Page } from "../ui/page";
import { Loaded } from "../ui/states";
import { useToast } from "../ui/toast";
import { Connections } from "./connections";
import { Factor } from "./factor";
import { Row, Sessions } from "./sessions";

/** Profile is what users say about themselves, and how they sign in. */
export function Profile() {
  const t = useT();
  const me = useMe();
  const ways = useQuery(waysQuery);
  if (!me) return null;
  const own = !ways.data?.blocklet?.only; // else a Blocklet Server keeps passwords, factors and sessions
  return (
    <Page title={t("nav.profile")} about={me.user.email}>
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <About me={me} />
        <Looks />
        {ways.data?.blocklet && me.blocklet && <HostCard me={me} />}
        {own && (
          <>
            <PasswordCard me={me} />
            <Card title={t("factor.title")}>
              <Factor me={me} />
            </Card>
            <Ways />
          </>
        )}
        <div className="lg:col-span-2">
          <Connections />
        </div>
        {own && (
          <div className="lg:col-span-2">
            <Sessions />
          </div>
        )}
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
            {t(x === "system" && onHost() ? "theme.app" : `theme.${x}`)}
          </option>
        ))}
      </SelectField>
    </Card>
  );
}

/** HostCard leads to the Blocklet Server, which knows the user. */
function HostCard({ me }: { me: Me }) {
  const t = useT();
  return (
    <Card title={t("host.account")}>
      <div className="flex flex-col gap-3">
        <p className="text-ink-2">{t("host.account.about")}</p>
        <Facts
          items={[
            ["DID", <Mono key="d">{me.blocklet?.did}</Mono>],
            [t("host.roles"), me.blocklet?.roles.join(", ")],
          ]}
        />
        <a href={userCentre} className={`${buttonClass()} self-start`}>
          {t("host.account.open")}
        </a>
      </div>
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
            <NewPassword label={t("field.password.new")} hint={t("password.hint")} error={fault("password")} />
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
