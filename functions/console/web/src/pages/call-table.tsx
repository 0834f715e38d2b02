import { Link } from "@tanstack/react-router";
import { type Answer, api } from "../api/client";
import type { CallSearch } from "../app/router";
import { count, duration } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Amount, Time } from "../ui/page";
import { Badge } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { useUserNames } from "./calls-query";

/** Found is what the address of the call log holds. */
export type Found = CallSearch;

/** CallPage is the list as it goes on by cursor; with page= it has AIGNE Hub's form. */
export type CallPage = Extract<Answer<"/api/user/model-calls">, { data: unknown }>;

export type Call = CallPage["data"][number];

type Options = NonNullable<Parameters<typeof api.get<"/api/user/model-calls">>[1]>;

/** listCalls asks for a page of the call log. */
export async function listCalls(options: Options): Promise<CallPage> {
  return (await api.get("/api/user/model-calls", options)) as CallPage;
}

const looks: Record<Call["status"], "ok" | "danger" | "warn" | "info"> = {
  success: "ok",
  failed: "danger",
  aborted: "warn",
  interrupted: "warn",
  processing: "info",
};

export function CallStatus({ call }: { call: Pick<Call, "status" | "http_status"> }) {
  const { known } = useI18n();
  return (
    <Badge kind={looks[call.status]}>
      {known(`call.status.${call.status}`, call.status)}
      {call.status === "failed" && call.http_status > 0 && ` ${call.http_status}`}
    </Badge>
  );
}

/** tokens are what a call used, of the kinds that most calls have. */
export function tokens(usage: Record<string, number>, ...buckets: string[]): number {
  return buckets.reduce((sum, b) => sum + (usage[b] ?? 0), 0);
}

export const inputs = ["input", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio", "input_image"];
export const outputs = ["output", "reasoning", "output_audio", "output_image"];

/** CallTable lists calls; open shows one. */
export function CallTable({
  calls,
  open,
  search,
  users,
}: {
  calls: readonly Call[];
  /** users: whose each is, for those who see everybody's. */
  users?: boolean;
  open: (call: Call) => void;
  search: (call: Call) => Found;
}) {
  const { t, format } = useI18n();
  const names = useUserNames(users === true);
  const columns: Column<Call>[] = [
    {
      key: "at",
      head: t("call.at"),
      cell: (c) => <Time at={c.created_at} />,
      from: "sm",
    },
    {
      key: "model",
      head: t("call.model"),
      className: users ? "w-full min-w-40" : "min-w-40",
      cell: (c) => (
        <div className="min-w-0">
          <Link to="/calls" search={search(c)} className="font-medium break-all hover:underline">
            {c.provider ? `${c.provider}/${c.model}` : c.requested_model}
          </Link>
          <div className="text-sm text-ink-3 sm:hidden">
            <Time at={c.created_at} />
          </div>
        </div>
      ),
    },
    { key: "status", head: t("call.status"), cell: (c) => <CallStatus call={c} /> },
    {
      key: "tokens",
      head: t("call.tokens"),
      num: true,
      from: "md",
      cell: (c) => (
        <span title={t("call.tokens.title")}>
          {count(format, tokens(c.usage, ...inputs))} <span className="text-ink-3">→</span>{" "}
          {count(format, tokens(c.usage, ...outputs))}
        </span>
      ),
    },
    {
      key: "duration",
      head: t("call.duration"),
      num: true,
      from: "lg",
      cell: (c) => (c.duration_ms === null ? "–" : duration(format, c.duration_ms)),
    },
    { key: "credits", head: t("call.credits"), num: true, cell: (c) => <Amount of={c.credits} /> },
  ];
  if (users)
    columns.splice(2, 0, {
      key: "user",
      head: t("call.user"),
      from: "lg",
      cell: (c) => <span className="block w-36 truncate">{names.get(c.user_id) ?? `…${c.user_id.slice(-8)}`}</span>,
    });
  return <Table label={t("nav.calls")} columns={columns} rows={calls} id={(c) => c.id} open={open} />;
}
