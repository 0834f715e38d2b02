import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Link2 } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm } from "../ui/dialog";
import { Filters, Search } from "../ui/filters";
import { Listing } from "../ui/listing";
import { Card, Time } from "../ui/page";
import { Badge } from "../ui/states";
import type { Column } from "../ui/table";

type Connection = Answer<"/api/admin/connections">["data"][number];

/** AllConnections are what users allowed applications. */
export function AllConnections() {
  const t = useT();
  const navigate = useNavigate({ from: "/admin/clients" });
  const search = useSearch({ from: "/inside/admin/admin/clients" });
  const invalidate = useInvalidate();
  const [ending, setEnding] = useState<Connection>();
  const all = useQuery({
    queryKey: ["connections", "all", search.user, search.cursor],
    queryFn: ({ signal }) =>
      api.get("/api/admin/connections", { query: { user: search.user, cursor: search.cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
  });
  const columns: Column<Connection>[] = [
    {
      key: "name",
      head: t("call.app"),
      cell: (c) => (
        <div className="min-w-0">
          <span className="font-medium break-words">{c.name}</span>
          <div className="text-sm break-all text-ink-3">{c.user}</div>
        </div>
      ),
    },
    { key: "scopes", head: t("keys.scopes"), from: "md", cell: (c) => c.scopes.map((s) => t(`scope.${s}`)).join(", ") },
    {
      key: "state",
      head: t("keys.state"),
      from: "sm",
      cell: (c) =>
        c.revoked_at ? <Badge kind="danger">{t("keys.revoked")}</Badge> : <Badge kind="ok">{t("keys.active")}</Badge>,
    },
    { key: "since", head: t("keys.created"), from: "lg", cell: (c) => <Time at={c.created_at} /> },
    {
      key: "end",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (c) =>
        !c.revoked_at && (
          <Button small onClick={() => setEnding(c)}>
            {t("keys.revoke")}
          </Button>
        ),
    },
  ];
  return (
    <div>
      <Filters>
        <Search
          label={t("clients.user")}
          value={search.user}
          onSearch={(user) => navigate({ search: (old) => ({ ...old, user, cursor: undefined }) })}
        />
      </Filters>
      <Card flush>
        <Listing
          query={all}
          label={t("clients.connections")}
          columns={columns}
          id={(c) => c.id}
          icon={<Link2 aria-hidden className="size-5" />}
          none={t("clients.connections.none")}
          hint={t("clients.connections.none.hint")}
        />
      </Card>
      <Confirm
        open={ending !== undefined}
        onClose={() => setEnding(undefined)}
        title={t("clients.end.title", { name: ending?.name ?? "", user: ending?.user ?? "" })}
        consequences={t("clients.end.consequences")}
        action={t("keys.revoke")}
        act={async () => {
          await api.delete("/api/admin/connections/{id}", { params: { id: ending?.id ?? "" } });
          await invalidate("connections");
        }}
      />
    </div>
  );
}
