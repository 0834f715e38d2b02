import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../api/client";
import { Front } from "../app/front";
import { client, firstKey, waysQuery } from "../app/session";
import { useT } from "../lib/i18n";
import { buttonClass } from "../ui/button";
import { Form, NewPassword, TextField } from "../ui/form";
import { Loaded, Note } from "../ui/states";
import { token } from "./token";

/** Setup makes the first owner with the token that the hub printed, and signs in. */
export function Setup() {
  const t = useT();
  const navigate = useNavigate();
  const ways = useQuery(waysQuery);
  const [given] = useState(() => token("token"));
  return (
    <Front title={t("setup.title")} about={t("setup.about")}>
      <Loaded query={ways}>
        {({ set_up }) =>
          set_up ? (
            <div className="flex flex-col gap-4">
              <Note kind="ok">{t("setup.done")}</Note>
              <Link to="/sign-in" className={buttonClass("primary")}>
                {t("signin.submit")}
              </Link>
            </div>
          ) : (
            <Form
              wide
              submit={t("setup.submit")}
              save={async (value) => {
                const email = value("email");
                const password = value("password");
                const made = await api.post("/api/auth/setup", { body: { token: value("token"), email, password } });
                await api.post("/api/auth/login", { body: { email, password } });
                client.clear();
                client.setQueryData(firstKey, made.api_key);
                await navigate({ to: "/start" });
              }}
            >
              {(fault) => (
                <>
                  <TextField
                    name="token"
                    label={t("setup.token")}
                    hint={t("setup.token.hint")}
                    defaultValue={given}
                    error={fault("token")}
                    autoComplete="off"
                    required
                  />
                  <TextField
                    name="email"
                    type="email"
                    label={t("field.email")}
                    error={fault("email")}
                    autoComplete="username"
                    required
                  />
                  <NewPassword label={t("field.password")} hint={t("field.password.hint")} error={fault("password")} />
                </>
              )}
            </Form>
          )
        }
      </Loaded>
    </Front>
  );
}
