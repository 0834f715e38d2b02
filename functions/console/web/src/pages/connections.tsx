import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Blocks } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm } from "../ui/dialog";
import { Card, Time } from "../ui/page";
import { Badge, Empty, Loaded } from "../ui/states";
import { Pager } from "../ui/table";

type Connection = Answer<"/api/auth/connections">["data"][number];

/** Connections are the applications that the user signed in to with this hub, what each may do, and the way to take it back. */
export function Connections() {
  const t = useT();
  const invalidate = useInvalidate();
  const [cursors, setCursors] = useState<string[]>([]);
  const [ending, setEnding] = useState<Connection>();
  const cursor = cursors.at(-1);
  const list = useQuery({
    queryKey: ["connections", cursor],
    queryFn: ({ signal }) => api.get("/api/auth/connections", { query: { cursor, pageSize: 20 }, signal }),
    placeholderData: keepPreviousData,
  });
  const next = list.data?.next_cursor;
  return (
    <div id="connections" className="scroll-mt-16">
      <Card flush title={t("connections.title")}>
        <Loaded query={list}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty icon={<Blocks aria-hidden className="size-5" />} title={t("connections.none")}>
                {t("connections.none.hint")}
              </Empty>
            ) : (
              <ul className="divide-y divide-line">
                {data.map((c) => (
                  <One key={c.id} of={c} onEnd={() => setEnding(c)} />
                ))}
              </ul>
            )
          }
        </Loaded>
        <Pager
          newer={cursors.length > 0 ? () => setCursors(cursors.slice(0, -1)) : undefined}
          older={next ? () => setCursors([...cursors, next]) : undefined}
        />
      </Card>
      <Confirm
        open={ending !== undefined}
        onClose={() => setEnding(undefined)}
        title={t("connections.end.title", { name: ending?.name ?? "" })}
        consequences={t("connections.end.consequences")}
        action={t("connections.end")}
        act={async () => {
          if (!ending) return;
          await api.delete("/api/auth/connections/{id}", { params: { id: ending.id } });
          await invalidate("connections", "keys");
        }}
      />
    </div>
  );
}

function One({ of: c, onEnd }: { of: Connection; onEnd: () => void }) {
  const t = useT();
  const over = c.revoked_at !== null || (c.ends_at !== null && new Date(c.ends_at).getTime() < Date.now());
  return (
    <li className="flex items-start gap-3 px-3 py-3 sm:px-4">
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-2 font-medium">
          {c.name}
          {!c.client_id && <Badge>{t("connections.cli")}</Badge>}
          {over && <Badge kind="danger">{c.revoked_at ? t("connections.ended") : t("keys.expired")}</Badge>}
        </p>
        <p className="mt-0.5 flex flex-wrap items-center gap-1.5 text-sm text-ink-3">
          {t("apps.may")}
          {c.scopes.map((s) => (
            <Badge key={s}>{t(`scope.${s}`)}</Badge>
          ))}
        </p>
        <p className="mt-1 text-sm text-ink-3">
          {t("connections.since")} <Time at={c.created_at} />
          {c.refreshed_at && (
            <>
              {" · "}
              {t("keys.used")} <Time at={c.refreshed_at} />
            </>
          )}
          {c.ends_at && !over && (
            <>
              {" · "}
              {t("keys.until")} <Time at={c.ends_at} />
            </>
          )}
          {" · "}
          <Link to="/keys" search={{ key: c.key_id }} className="text-accent underline">
            {t("connections.key")}
          </Link>
        </p>
      </div>
      {!over && (
        <Button small onClick={onEnd}>
          {t("connections.end")}
        </Button>
      )}
    </li>
  );
}
