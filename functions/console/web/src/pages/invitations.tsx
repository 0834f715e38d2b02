import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { Mail, UsersRound } from "lucide-react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { useT } from "../lib/i18n";
import { Listing } from "../ui/listing";
import { MenuItem, RowMenu } from "../ui/menu";
import { Card, Time } from "../ui/page";
import { Badge, useFault } from "../ui/states";
import type { Column } from "../ui/table";
import { useToast } from "../ui/toast";
import type { Act } from "./users";

export type Invitation = Answer<"/api/admin/invitations">["data"][number];

/** Invitations lists who was invited, and what came of it. */
export function Invitations({ act }: { act: (act: Act) => void }) {
  const t = useT();
  const say = useToast();
  const fault = useFault();
  const invalidate = useInvalidate();
  const search = useSearch({ from: "/inside/admin/admin/users" });
  const invitations = useQuery({
    queryKey: ["invitations", search.cursor],
    queryFn: ({ signal }) => api.get("/api/admin/invitations", { query: { cursor: search.cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
  });
  async function resend(i: Invitation) {
    try {
      const made = await api.post("/api/admin/invitations/{id}/resend", { params: { id: i.id } });
      await invalidate("invitations");
      if (made.link) act({ kind: "link", link: made.link, until: made.expires_at, what: "invitation" });
      else say(t("users.invited", { email: made.email }));
    } catch (thrown) {
      say(fault(thrown), true);
    }
  }
  const open = (i: Invitation) => !i.accepted_at && !i.revoked_at;
  const state = (i: Invitation) => {
    if (i.accepted_at) return <Badge kind="ok">{t("invitation.accepted")}</Badge>;
    if (i.revoked_at) return <Badge>{t("invitation.withdrawn")}</Badge>;
    if (new Date(i.expires_at).getTime() < Date.now()) return <Badge kind="warn">{t("keys.expired")}</Badge>;
    return <Badge kind="info">{t("invitation.open")}</Badge>;
  };
  const columns: Column<Invitation>[] = [
    { key: "email", head: t("field.email"), cell: (i) => <span className="break-all">{i.email}</span> },
    { key: "role", head: t("users.role"), from: "sm", cell: (i) => t(`role.${i.role}`) },
    { key: "state", head: t("keys.state"), cell: state },
    { key: "by", head: t("invitation.by"), from: "lg", cell: (i) => i.invited_by },
    { key: "expires", head: t("keys.until"), from: "md", cell: (i) => (open(i) ? <Time at={i.expires_at} /> : "–") },
    {
      key: "menu",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (i) =>
        open(i) && (
          <RowMenu label={t("action.menu.of", { name: i.email })}>
            <MenuItem icon={<Mail aria-hidden className="size-4" />} onClick={() => resend(i)}>
              {t("users.resend")}
            </MenuItem>
            <MenuItem danger onClick={() => act({ kind: "withdraw", invitation: i })}>
              {t("users.withdraw")}
            </MenuItem>
          </RowMenu>
        ),
    },
  ];
  return (
    <Card flush>
      <Listing
        query={invitations}
        label={t("users.invitations")}
        columns={columns}
        id={(i) => i.id}
        icon={<UsersRound aria-hidden className="size-5" />}
        none={t("users.invitations.none")}
        hint={t("users.invite.about")}
      />
    </Card>
  );
}
