import { useNavigate, useSearch } from "@tanstack/react-router";
import { UserPlus } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { type Role, useInvalidate, useMe } from "../app/session";
import { useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Secret } from "../ui/copy";
import { Confirm, Modal } from "../ui/dialog";
import { Form, SelectField, TextField } from "../ui/form";
import { Page, Time } from "../ui/page";
import { Note, useFault } from "../ui/states";
import { Tabs } from "../ui/tabs";
import { useToast } from "../ui/toast";
import { type Invitation, Invitations } from "./invitations";
import { GrantForm } from "./money-forms";
import { UserDrawer } from "./user-drawer";
import { UserList } from "./user-list";

export type User = Answer<"/api/admin/users">["data"][number];
export type Act =
  | { kind: "invite" }
  | { kind: "link"; link: string; until: string; what: "invitation" | "reset" }
  | { kind: "role" | "groups" | "disable" | "grant"; user: User }
  | { kind: "withdraw"; invitation: Invitation };

const roles: Role[] = ["owner", "admin", "member", "guest"];

/** mayGive lists the roles that somebody may give: only owners make owners and admins. */
function mayGive(own: Role | undefined): Role[] {
  return own === "owner" ? roles : ["member", "guest"];
}

/** Users are the people of the hub and those invited. */
export function Users() {
  const t = useT();
  const me = useMe();
  const say = useToast();
  const fault = useFault();
  const navigate = useNavigate({ from: "/admin/users" });
  const search = useSearch({ from: "/inside/admin/admin/users" });
  const invalidate = useInvalidate();
  const [act, setAct] = useState<Act>();
  const close = () => setAct(undefined);
  const tab = search.tab === "invitations" ? "invitations" : "users";
  const user = act && "user" in act ? act.user : undefined;
  const give = mayGive(me?.user.role);

  async function resetLink(u: User) {
    try {
      const made = await api.post("/api/admin/users/{email}/reset-link", { params: { email: u.email } });
      setAct({ kind: "link", link: made.link, until: made.expires_at, what: "reset" });
    } catch (thrown) {
      say(fault(thrown), true);
    }
  }
  async function enable(u: User) {
    try {
      await api.patch("/api/admin/users/{email}", { params: { email: u.email }, body: { disabled: false } });
      await invalidate("users");
      say(t("users.enabled", { email: u.email }));
    } catch (thrown) {
      say(fault(thrown), true);
    }
  }

  return (
    <Page
      title={t("nav.users")}
      about={t("users.about")}
      actions={
        <Button look="primary" icon={<UserPlus aria-hidden className="size-4" />} onClick={() => setAct({ kind: "invite" })}>
          {t("users.invite")}
        </Button>
      }
    >
      <Tabs
        label={t("nav.users")}
        value={tab}
        onChange={(next) => navigate({ search: { tab: next === "users" ? undefined : next } })}
        tabs={[
          ["users", t("nav.users")],
          ["invitations", t("users.invitations")],
        ]}
      >
        {tab === "users" ? <UserList act={setAct} resetLink={resetLink} enable={enable} /> : <Invitations act={setAct} />}
      </Tabs>
      <UserDrawer email={search.user} onClose={() => navigate({ search: (old) => ({ ...old, user: undefined }) })} />

      <Modal open={act?.kind === "invite"} onClose={close} title={t("users.invite")} about={t("users.invite.about")}>
        <Form
          submit={t("users.invite")}
          onCancel={close}
          save={async (value) => {
            const made = await api.post("/api/admin/invitations", {
              body: {
                email: value("email"),
                role: value("role") as Role,
                groups: value("groups")
                  .split(/[\s,]+/)
                  .filter(Boolean),
              },
            });
            await invalidate("invitations");
            if (made.link) setAct({ kind: "link", link: made.link, until: made.expires_at, what: "invitation" });
            else {
              say(t("users.invited", { email: made.email }));
              close();
            }
          }}
        >
          {(fault) => (
            <>
              <TextField name="email" type="email" label={t("field.email")} error={fault("email")} autoComplete="off" required />
              <SelectField name="role" label={t("users.role")} defaultValue="member" error={fault("role")}>
                {give.map((r) => (
                  <option key={r} value={r}>
                    {t(`role.${r}`)}
                  </option>
                ))}
              </SelectField>
              <TextField name="groups" label={t("users.groups")} hint={t("users.groups.hint")} error={fault("groups")} />
            </>
          )}
        </Form>
      </Modal>
      <Modal keep open={act?.kind === "link"} onClose={close} title={t("users.link")} about={t("users.link.about")}>
        {act?.kind === "link" && (
          <div className="flex flex-col gap-4">
            <Secret text={act.link} />
            <Note>
              {t("users.link.until")} <Time at={act.until} exact />
            </Note>
            <Button look="primary" className="self-end" onClick={close}>
              {t("users.link.kept")}
            </Button>
          </div>
        )}
      </Modal>
      <Modal open={act?.kind === "role"} onClose={close} title={t("users.role.change")} about={user?.email}>
        {user && act?.kind === "role" && (
          <Form
            submit={t("action.save")}
            onCancel={close}
            save={async (value) => {
              await api.patch("/api/admin/users/{email}", {
                params: { email: user.email },
                body: { role: value("role") as Role },
              });
              await invalidate("users");
              close();
            }}
          >
            {(fault) => (
              <SelectField
                name="role"
                label={t("users.role")}
                hint={t("users.role.hint")}
                defaultValue={user.role}
                error={fault("role")}
              >
                {roles.map((r) => (
                  <option key={r} value={r} disabled={!give.includes(r)}>
                    {t(`role.${r}`)}
                  </option>
                ))}
              </SelectField>
            )}
          </Form>
        )}
      </Modal>
      <Modal open={act?.kind === "groups"} onClose={close} title={t("users.groups")} about={user?.email}>
        {user && act?.kind === "groups" && (
          <Form
            submit={t("action.save")}
            onCancel={close}
            save={async (value) => {
              await api.put("/api/admin/users/{email}/groups", {
                params: { email: user.email },
                body: {
                  groups: value("groups")
                    .split(/[\s,]+/)
                    .filter(Boolean),
                },
              });
              await invalidate("users");
              close();
            }}
          >
            {(fault) => (
              <TextField
                name="groups"
                label={t("users.groups")}
                hint={t("users.groups.hint")}
                defaultValue={user.groups.join(", ")}
                error={fault("groups")}
              />
            )}
          </Form>
        )}
      </Modal>
      <Modal open={act?.kind === "grant"} onClose={close} title={t("users.grant")} about={user?.email}>
        {user && act?.kind === "grant" && <GrantForm to={{ email: user.email }} name={user.email} onClose={close} />}
      </Modal>
      <Confirm
        open={act?.kind === "disable"}
        onClose={close}
        title={t("users.disable.title", { email: user?.email ?? "" })}
        consequences={t("users.disable.consequences")}
        action={t("users.disable")}
        act={async () => {
          await api.patch("/api/admin/users/{email}", { params: { email: user?.email ?? "" }, body: { disabled: true } });
          await invalidate("users");
        }}
      />
      <Confirm
        open={act?.kind === "withdraw"}
        onClose={close}
        title={t("users.withdraw.title", { email: act?.kind === "withdraw" ? act.invitation.email : "" })}
        consequences={t("users.withdraw.consequences")}
        action={t("users.withdraw")}
        act={async () => {
          if (act?.kind !== "withdraw") return;
          await api.delete("/api/admin/invitations/{id}", { params: { id: act.invitation.id } });
          await invalidate("invitations");
        }}
      />
    </Page>
  );
}
