import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Gift, UsersRound } from "lucide-react";
import { api } from "../api/client";
import type { Role } from "../app/session";
import { useT } from "../lib/i18n";
import { Filters, Pick, Search } from "../ui/filters";
import { Listing } from "../ui/listing";
import { MenuItem, MenuLine, RowMenu } from "../ui/menu";
import { Card, Time } from "../ui/page";
import { Badge } from "../ui/states";
import type { Column } from "../ui/table";
import type { Act, User } from "./users";

/** UserList lists the users of the hub. */
export function UserList({
  act,
  resetLink,
  enable,
}: {
  act: (act: Act) => void;
  resetLink: (u: User) => void;
  enable: (u: User) => void;
}) {
  const t = useT();
  const navigate = useNavigate({ from: "/admin/users" });
  const search = useSearch({ from: "/inside/admin/admin/users" });
  const users = useQuery({
    queryKey: ["users", search.q, search.role, search.state, search.cursor],
    queryFn: ({ signal }) =>
      api.get("/api/admin/users", {
        query: {
          q: search.q,
          role: search.role as Role | undefined,
          state: search.state as "active" | "disabled" | undefined,
          cursor: search.cursor,
          pageSize: 50,
        },
        signal,
      }),
    placeholderData: keepPreviousData,
  });
  const show = (u: User) => navigate({ search: (old) => ({ ...old, user: u.email }) });
  const columns: Column<User>[] = [
    {
      key: "email",
      head: t("users.one"),
      cell: (u) => (
        <div className="min-w-0">
          <button type="button" onClick={() => show(u)} className="text-left font-medium break-all hover:underline">
            {u.name || u.email}
          </button>
          {u.name && <div className="text-sm break-all text-ink-3">{u.email}</div>}
        </div>
      ),
    },
    {
      key: "role",
      head: t("users.role"),
      cell: (u) => <Badge kind={u.role === "owner" || u.role === "admin" ? "info" : undefined}>{t(`role.${u.role}`)}</Badge>,
    },
    {
      key: "state",
      head: t("keys.state"),
      from: "sm",
      cell: (u) =>
        u.disabled_at ? <Badge kind="danger">{t("users.disabled")}</Badge> : <Badge kind="ok">{t("keys.active")}</Badge>,
    },
    {
      key: "groups",
      head: t("users.groups"),
      from: "lg",
      cell: (u) => (u.groups.length > 0 ? u.groups.join(", ") : <span className="text-ink-3">–</span>),
    },
    { key: "since", head: t("keys.created"), from: "md", cell: (u) => <Time at={u.created_at} /> },
    {
      key: "menu",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (u) => (
        <RowMenu label={t("action.menu.of", { name: u.email })}>
          <MenuItem onClick={() => act({ kind: "role", user: u })}>{t("users.role.change")}</MenuItem>
          <MenuItem onClick={() => act({ kind: "groups", user: u })}>{t("users.groups")}</MenuItem>
          <MenuItem icon={<Gift aria-hidden className="size-4" />} onClick={() => act({ kind: "grant", user: u })}>
            {t("users.grant")}
          </MenuItem>
          <MenuItem onClick={() => resetLink(u)}>{t("users.reset")}</MenuItem>
          <MenuLine />
          {u.disabled_at ? (
            <MenuItem onClick={() => enable(u)}>{t("users.enable")}</MenuItem>
          ) : (
            <MenuItem danger onClick={() => act({ kind: "disable", user: u })}>
              {t("users.disable")}
            </MenuItem>
          )}
        </RowMenu>
      ),
    },
  ];
  const narrow = (change: { q?: string; role?: string; state?: string }) =>
    navigate({ search: (old) => ({ ...old, cursor: undefined, ...change }) });
  return (
    <div>
      <Filters>
        <Search label={t("users.search")} value={search.q} onSearch={(q) => narrow({ q })} />
        <Pick
          label={t("users.role")}
          value={search.role}
          onPick={(role) => narrow({ role })}
          options={[
            ["", t("users.roles.all")],
            ["owner", t("role.owner")],
            ["admin", t("role.admin")],
            ["member", t("role.member")],
            ["guest", t("role.guest")],
          ]}
        />
        <Pick
          label={t("keys.state")}
          value={search.state}
          onPick={(state) => narrow({ state })}
          options={[
            ["", t("users.states.all")],
            ["active", t("keys.active")],
            ["disabled", t("users.disabled")],
          ]}
        />
      </Filters>
      <Card flush>
        <Listing
          query={users}
          label={t("nav.users")}
          columns={columns}
          id={(u) => u.id}
          open={show}
          icon={<UsersRound aria-hidden className="size-5" />}
          none={t("filter.nothing")}
          hint={t("filter.nothing.hint")}
        />
      </Card>
    </div>
  );
}
