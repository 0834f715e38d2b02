import { useMutation, useQuery } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { count } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm } from "../ui/dialog";
import { Card, Mono, Time } from "../ui/page";
import { Badge, Loaded, Note, Rows } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { useToast } from "../ui/toast";

type Key = Answer<"/api/admin/vault">["data"][number];

const total = (k: Key) => Object.values(k.values ?? {}).reduce((sum, n) => sum + n, 0);
const looks: Record<string, "ok" | "info" | "warn" | "danger" | undefined> = {
  active: "ok",
  added: "info",
  closed: "warn",
  missing: "danger",
};

/** Vault is the keys that seal secrets, and their rotation while it goes on. */
export function Vault() {
  const { t, known, format } = useI18n();
  const say = useToast();
  const [asking, setAsking] = useState(false);
  const vault = useQuery({
    queryKey: ["vault"],
    queryFn: ({ signal }) => api.get("/api/admin/vault", { signal }),
    refetchInterval: (query) => (query.state.data?.rotating ? 1000 : 30_000),
  });
  const rotate = useMutation({
    mutationFn: () => api.post("/api/admin/vault/rotate"),
    onSuccess: (made) => {
      if (made.state === "failed") say(made.error ?? "", true);
      else say(t(made.state === "done" ? "vault.done" : "vault.started"));
    },
    onSettled: () => vault.refetch(),
  });
  const columns: Column<Key>[] = [
    { key: "id", head: t("vault.key"), cell: (k) => <Mono>{k.id}</Mono> },
    {
      key: "state",
      head: t("models.status"),
      cell: (k) => <Badge kind={looks[k.state]}>{known(`vault.state.${k.state}`, k.state)}</Badge>,
    },
    {
      key: "values",
      head: t("vault.values"),
      num: true,
      cell: (k) => (
        <span
          title={
            Object.entries(k.values ?? {})
              .map(([table, n]) => `${table} ${n}`)
              .join("\n") || undefined
          }
        >
          {count(format, total(k))}
        </span>
      ),
    },
    {
      key: "made",
      head: t("keys.created"),
      from: "md",
      cell: (k) => (k.created_at.startsWith("0001") ? "–" : <Time at={k.created_at} />),
    },
    { key: "master", head: t("vault.master"), from: "lg", cell: (k) => <Mono>{k.master_id || "–"}</Mono> },
  ];
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-start gap-3">
        <p className="flex-1 basis-72 text-ink-3">{t("vault.about")}</p>
        <Button
          icon={<KeyRound aria-hidden className="size-4" />}
          disabled={vault.data?.rotating}
          busy={rotate.isPending}
          onClick={() => setAsking(true)}
        >
          {t("vault.rotate")}
        </Button>
      </div>
      {vault.data?.rotating && <Progress keys={vault.data.data} />}
      <Card flush>
        <Loaded query={vault} loading={<Rows n={3} />}>
          {({ data }) => <Table label={t("system.tab.keys")} columns={columns} rows={data} id={(k) => k.id} />}
        </Loaded>
      </Card>
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title={t("vault.rotate.title")}
        consequences={t("vault.rotate.consequences")}
        action={t("vault.rotate")}
        act={() => rotate.mutateAsync()}
      />
    </div>
  );
}

/** Progress shows how much of what closed keys sealed is sealed anew. */
function Progress({ keys }: { keys: Key[] }) {
  const { t, format } = useI18n();
  const all = keys.reduce((sum, k) => sum + total(k), 0);
  const left = keys.filter((k) => k.state !== "active").reduce((sum, k) => sum + total(k), 0);
  return (
    <Note>
      <p>{t("vault.progress", { n: count(format, all - left), of: count(format, all) })}</p>
      <progress max={Math.max(1, all)} value={all - left} aria-label={t("vault.rotate")} className="mt-1.5 w-full" />
    </Note>
  );
}
