import { useQuery } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { type Answer, ApiError, api } from "../api/client";
import { Front } from "../app/front";
import { enterHost, leaveHost, sendOnce } from "../app/host";
import { prefix } from "../app/router";
import { client, waysQuery } from "../app/session";
import { useI18n, useT } from "../lib/i18n";
import { inside } from "../lib/inside";
import { Button, buttonClass } from "../ui/button";
import { Form, NewPassword, TextField } from "../ui/form";
import { Loaded, Note, useFault } from "../ui/states";
import { forget, token } from "./token";

type Ways = Answer<"/api/auth/providers">;

/** SignIn lets people in: by password, by an identity provider, with an invitation, or with a link for a lost password. */
export function SignIn() {
  const t = useT();
  const ways = useQuery(waysQuery);
  const [invitation] = useState(() => token("invitation"));
  const [reset, setReset] = useState(() => token("reset"));
  const [said, setSaid] = useState<{ kind: "ok" | "danger"; text: string } | undefined>(() => {
    const fault = token("error");
    forget("error");
    return fault ? { kind: "danger", text: fault } : undefined;
  });
  const [warning, setWarning] = useState("");
  const enter = useEnter();
  const after = (result: { warning?: string }) => (result.warning ? setWarning(result.warning) : enter());

  if (warning)
    return (
      <Front title={t("signin.title")}>
        <div className="flex flex-col gap-4">
          <Note kind="warn">{warning}</Note>
          <Button look="primary" onClick={enter}>
            {t("signin.goon")}
          </Button>
        </div>
      </Front>
    );
  if (ways.data?.blocklet?.only) return <HostSignIn host={ways.data.blocklet} />;
  if (reset)
    return (
      <ResetPassword
        secret={reset}
        done={() => {
          forget("reset");
          setReset("");
          setSaid({ kind: "ok", text: t("reset.done") });
        }}
      />
    );
  return (
    <Front title={invitation ? t("invited.title") : t("signin.title")}>
      <Loaded query={ways}>
        {(ways) => (
          <div className="flex flex-col gap-5">
            {said && <Note kind={said.kind}>{said.text}</Note>}
            {invitation ? <Accept secret={invitation} after={after} /> : <Password ways={ways} after={after} say={setSaid} />}
            <Providers ways={ways} invitation={invitation} />
            {ways.blocklet && <HostButton page={ways.blocklet.sign_in} />}
          </div>
        )}
      </Loaded>
    </Front>
  );
}

function HostButton({ page, primary }: { page: string; primary?: boolean }) {
  const t = useT();
  const { path } = useBack();
  return (
    <a
      href={enterHost(page, prefix.replace(/\/$/, "") + path)}
      className={`${buttonClass(primary ? "primary" : "plain")} w-full`}
    >
      {t("host.signin")}
    </a>
  );
}

/** HostSignIn leads to the Blocklet Server, where people sign in to the whole app: at once, unless they just signed out or came back
 * from there without being let in. */
function HostSignIn({ host }: { host: NonNullable<Ways["blocklet"]> }) {
  const t = useT();
  const page = host.sign_in;
  const { out } = useSearch({ from: "/sign-in" });
  const { path } = useBack();
  const [refused, setRefused] = useState(false);
  useEffect(() => {
    if (out) return;
    if (sendOnce()) location.replace(enterHost(page, prefix.replace(/\/$/, "") + path));
    else setRefused(true);
  }, [out, page, path]);
  return (
    <Front title={t("signin.title")} about={t("host.about")}>
      <div className="flex flex-col gap-4">
        {refused && <Note kind="warn">{t("host.refused")}</Note>}
        {out && <Note kind="ok">{t("host.out")}</Note>}
        <HostButton page={page} primary />
        {refused && (
          <Button
            onClick={async () => {
              await leaveHost(host.sign_out);
              setRefused(false);
            }}
          >
            {t("account.leave")}
          </Button>
        )}
      </div>
    </Front>
  );
}

/** useBack is where somebody wanted to go before the sign-in, and whether that is outside of the console. */
function useBack(): { path: string; outside: boolean } {
  const { to } = useSearch({ from: "/sign-in" });
  const [outer] = useState(() => token("return")); // of the hub's own pages, such as that of an application's request
  return outer ? { path: inside(outer), outside: true } : { path: inside(to), outside: false };
}

/** useEnter goes there. */
function useEnter() {
  const { path, outside } = useBack();
  const router = useRouter();
  return () => {
    client.clear();
    forget("invitation");
    const address = prefix.replace(/\/$/, "") + path;
    if (outside) location.assign(address);
    else router.history.push(address);
  };
}

interface WithResult {
  after: (result: { warning?: string }) => void;
}

function Password({
  ways,
  after,
  say,
}: WithResult & { ways: Ways; say: (said: { kind: "ok"; text: string } | undefined) => void }) {
  const t = useT();
  const [second, setSecond] = useState(false);
  const [forgot, setForgot] = useState(false);
  if (forgot)
    return (
      <Form
        wide
        submit={t("forgot.submit")}
        save={async (value) => {
          await api.post("/api/auth/password/forgot", { body: { email: value("email") } });
          setForgot(false);
          say({ kind: "ok", text: t("forgot.sent") });
        }}
      >
        {(fault) => (
          <>
            <p className="text-ink-3">{t("forgot.about")}</p>
            <TextField
              name="email"
              type="email"
              label={t("field.email")}
              error={fault("email")}
              autoComplete="username"
              required
            />
            <button type="button" className="self-start text-accent hover:underline" onClick={() => setForgot(false)}>
              {t("forgot.back")}
            </button>
          </>
        )}
      </Form>
    );
  return (
    <Form
      wide
      submit={t("signin.submit")}
      save={async (value) => {
        say(undefined);
        try {
          after(
            await api.post("/api/auth/login", {
              body: { email: value("email"), password: value("password"), code: value("code") },
            }),
          );
        } catch (fault) {
          if (fault instanceof ApiError && fault.param === "code" && !second) {
            setSecond(true); // the first answer only asks for it
            return;
          }
          throw fault;
        }
      }}
    >
      {(fault) => (
        <>
          <TextField name="email" type="email" label={t("field.email")} error={fault("email")} autoComplete="username" required />
          <TextField
            name="password"
            type="password"
            label={t("field.password")}
            error={fault("password")}
            autoComplete="current-password"
            required
          />
          {second && (
            <TextField
              name="code"
              label={t("field.code")}
              hint={t("field.code.hint")}
              error={fault("code")}
              autoComplete="one-time-code"
              autoFocus
              required
            />
          )}
          {ways.mail && (
            <button type="button" className="self-start text-accent hover:underline" onClick={() => setForgot(true)}>
              {t("forgot.link")}
            </button>
          )}
        </>
      )}
    </Form>
  );
}

function Accept({ secret, after }: WithResult & { secret: string }) {
  const { t, language } = useI18n();
  const invited = useQuery({
    queryKey: ["invitation", secret],
    queryFn: () => api.post("/api/auth/invitations/read", { body: { token: secret } }),
    retry: false,
  });
  return (
    <Loaded query={invited}>
      {(invited) => (
        <Form
          wide
          submit={t("invited.submit")}
          save={async (value) =>
            after(
              await api.post("/api/auth/invitations/accept", {
                body: {
                  token: secret,
                  name: value("name"),
                  password: value("password"),
                  language,
                  time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
                },
              }),
            )
          }
        >
          {(fault) => (
            <>
              <p>{t("invited.about", { who: invited.invited_by, email: invited.email, role: t(`role.${invited.role}`) })}</p>
              <TextField name="name" label={t("field.name")} error={fault("name")} autoComplete="name" maxLength={100} />
              <NewPassword label={t("field.password")} hint={t("field.password.hint")} error={fault("password")} />
            </>
          )}
        </Form>
      )}
    </Loaded>
  );
}

function ResetPassword({ secret, done }: { secret: string; done: () => void }) {
  const t = useT();
  return (
    <Front title={t("reset.title")}>
      <Form
        wide
        submit={t("reset.submit")}
        save={async (value) => {
          await api.post("/api/auth/password/reset", { body: { token: secret, password: value("password") } });
          done();
        }}
      >
        {(fault) => <NewPassword label={t("field.password.new")} hint={t("field.password.hint")} error={fault("password")} />}
      </Form>
    </Front>
  );
}

function Providers({ ways, invitation }: { ways: Ways; invitation: string }) {
  const t = useT();
  const say = useFault();
  const { path } = useBack();
  const [busy, setBusy] = useState("");
  const [fault, setFault] = useState<unknown>();
  if (ways.providers.length === 0) return null;
  async function go(name: string) {
    setBusy(name);
    setFault(undefined);
    try {
      const { url } = await api.post("/api/auth/oidc/{name}/start", {
        params: { name },
        body: { invitation, return_to: path },
      });
      location.assign(url);
    } catch (thrown) {
      setFault(thrown);
      setBusy("");
    }
  }
  return (
    <div className="flex flex-col gap-2">
      <div className="flex items-center gap-3 text-sm text-ink-3">
        <span className="h-px flex-1 bg-line" />
        {t("signin.or")}
        <span className="h-px flex-1 bg-line" />
      </div>
      {ways.providers.map((p) => (
        <Button key={p.name} busy={busy === p.name} onClick={() => go(p.name)} className="w-full">
          {t("signin.with", { provider: p.label })}
        </Button>
      ))}
      {fault !== undefined && <Note kind="danger">{say(fault)}</Note>}
    </div>
  );
}
