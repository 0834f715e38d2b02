import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import { type Me, useInvalidate } from "../app/session";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { CopyButton, Secret } from "../ui/copy";
import { Modal } from "../ui/dialog";
import { Form, TextField } from "../ui/form";
import { Badge, Loaded, Note } from "../ui/states";
import { useToast } from "../ui/toast";
import { QRCode } from "./qr-code";

type Doing =
  | { step: "password" }
  | { step: "code"; secret: string; uri: string }
  | { step: "codes"; codes: string[] }
  | { step: "remove" };

/** Factor sets a second factor up and takes it away. */
export function Factor({ me }: { me: Me }) {
  const { t, tn } = useI18n();
  const say = useToast();
  const invalidate = useInvalidate();
  const factor = useQuery({ queryKey: ["factor"], queryFn: ({ signal }) => api.get("/api/auth/second-factor", { signal }) });
  const [doing, setDoing] = useState<Doing>();
  const close = () => setDoing(undefined);
  const password = (fault: (p: string) => string | undefined) => (
    <TextField
      name="password"
      type="password"
      label={t("password.current")}
      error={fault("password")}
      autoComplete="current-password"
      required
      autoFocus
    />
  );
  return (
    <Loaded query={factor}>
      {(f) => (
        <div className="flex flex-col gap-3">
          <p className="text-ink-2">{t("factor.about")}</p>
          {f.active ? (
            <>
              <p className="flex flex-wrap items-center gap-2">
                <Badge kind="ok">{t("factor.on")}</Badge>
                <span className="text-sm text-ink-3">{tn("factor.left", f.recovery_codes_left)}</span>
              </p>
              <Button className="self-start" onClick={() => setDoing({ step: "remove" })}>
                {t("factor.remove")}
              </Button>
            </>
          ) : me.sign_in.password ? (
            <Button className="self-start" onClick={() => setDoing({ step: "password" })}>
              {t("factor.add")}
            </Button>
          ) : (
            <p className="text-sm text-ink-3">{t("factor.nopassword")}</p>
          )}
          <Modal open={doing?.step === "password"} onClose={close} title={t("factor.add")} about={t("factor.confirm")}>
            <Form
              submit={t("action.next")}
              onCancel={close}
              save={async (value) => {
                const made = await api.post("/api/auth/second-factor", { body: { password: value("password") } });
                setDoing({ step: "code", ...made });
              }}
            >
              {password}
            </Form>
          </Modal>
          <Modal open={doing?.step === "code"} onClose={close} title={t("factor.add")} about={t("factor.scan")}>
            {doing?.step === "code" && (
              <Form
                submit={t("factor.activate")}
                onCancel={close}
                save={async (value) => {
                  const { recovery_codes } = await api.post("/api/auth/second-factor/confirm", { body: { code: value("code") } });
                  await invalidate("factor", "me");
                  setDoing({ step: "codes", codes: recovery_codes });
                }}
              >
                {(fault) => (
                  <>
                    <QRCode text={doing.uri} label={t("factor.qr")} />
                    <details>
                      <summary className="text-ink-2">{t("factor.manual")}</summary>
                      <div className="mt-2">
                        <Secret text={doing.secret} />
                      </div>
                    </details>
                    <TextField
                      name="code"
                      label={t("field.code")}
                      error={fault("code")}
                      inputMode="numeric"
                      autoComplete="one-time-code"
                      maxLength={6}
                      required
                    />
                  </>
                )}
              </Form>
            )}
          </Modal>
          <Modal keep open={doing?.step === "codes"} onClose={close} title={t("factor.codes")} about={t("factor.codes.about")}>
            {doing?.step === "codes" && (
              <div className="flex flex-col gap-4">
                <ul className="grid grid-cols-2 gap-2 font-mono text-sm">
                  {doing.codes.map((c) => (
                    <li key={c} className="rounded-md bg-sunken px-2.5 py-1.5">
                      {c}
                    </li>
                  ))}
                </ul>
                <div className="flex justify-between gap-2">
                  <CopyButton text={doing.codes.join("\n")} />
                  <Button look="primary" onClick={close}>
                    {t("factor.codes.kept")}
                  </Button>
                </div>
              </div>
            )}
          </Modal>
          <Modal open={doing?.step === "remove"} onClose={close} title={t("factor.remove")}>
            <Form
              danger
              submit={t("factor.remove")}
              onCancel={close}
              save={async (value) => {
                await api.post("/api/auth/second-factor/remove", { body: { password: value("password") } });
                await invalidate("factor", "me");
                say(t("factor.removed"));
                close();
              }}
            >
              {(fault) => (
                <>
                  <Note kind="warn">{t("factor.remove.consequences")}</Note>
                  {password(fault)}
                </>
              )}
            </Form>
          </Modal>
        </div>
      )}
    </Loaded>
  );
}
