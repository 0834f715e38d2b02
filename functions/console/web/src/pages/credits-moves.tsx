import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Download, ReceiptText } from "lucide-react";
import { type Answer, address, api } from "../api/client";
import { daySeconds } from "../lib/days";
import { useI18n } from "../lib/i18n";
import { Button, buttonClass } from "../ui/button";
import { Listing } from "../ui/listing";
import { Amount, Card, Time } from "../ui/page";
import type { Column } from "../ui/table";

type Move = Answer<"/api/user/credit/transactions">["data"][number];

const kinds = ["charge", "correct", "grant", "expire", "adjust", "refund"] as const;

/** Moves are what changed a wallet: the user's own, or a shared one that the user manages. */
export function Moves({ wallet }: { wallet?: string }) {
  const { t, known } = useI18n();
  const navigate = useNavigate({ from: "/credits" });
  const search = useSearch({ from: "/inside/credits" });
  const asked = {
    wallet,
    kind: kinds.find((k) => k === search.kind),
    start: daySeconds(search.from),
    end: daySeconds(search.until, true),
  };
  const moves = useQuery({
    queryKey: ["moves", asked, search.cursor],
    queryFn: ({ signal }) =>
      api.get("/api/user/credit/transactions", { query: { ...asked, cursor: search.cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
  });
  const filtered = Boolean(asked.kind || asked.start || asked.end);
  const set = (change: Partial<typeof search>) => navigate({ search: (old) => ({ ...old, cursor: undefined, ...change }) });
  const columns: Column<Move>[] = [
    { key: "at", head: t("credits.at"), cell: (m) => <Time at={m.created_at} />, from: "sm" },
    {
      key: "kind",
      head: t("credits.what"),
      cell: (m) => (
        <div className="min-w-0">
          {m.call_id ? (
            <Link to="/calls" search={{ call: m.call_id }} className="hover:underline">
              {known(`move.${m.kind}`, m.kind)}
            </Link>
          ) : (
            known(`move.${m.cause === "transfer" ? "transfer" : m.kind}`, m.kind)
          )}
          {(m.reason || m.cause) && <div className="text-sm text-ink-3">{m.reason || m.cause}</div>}
          <div className="text-sm text-ink-3 sm:hidden">
            <Time at={m.created_at} />
          </div>
        </div>
      ),
    },
    { key: "change", head: t("call.credits"), num: true, cell: (m) => <Amount of={m.change} signed={m.change !== "0"} /> },
  ];
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-end gap-3">
        <label className="text-sm max-sm:w-full">
          <span className="mb-1 block font-medium">{t("credits.what")}</span>
          <select className="input" value={asked.kind ?? ""} onChange={(e) => set({ kind: e.target.value || undefined })}>
            <option value="">{t("credits.all")}</option>
            {kinds.map((k) => (
              <option key={k} value={k}>
                {t(`move.${k}`)}
              </option>
            ))}
          </select>
        </label>
        <label className="text-sm max-sm:flex-1">
          <span className="mb-1 block font-medium">{t("filter.from")}</span>
          <input
            type="date"
            className="input"
            value={search.from ?? ""}
            max={search.until}
            onChange={(e) => set({ from: e.target.value || undefined })}
          />
        </label>
        <label className="text-sm max-sm:flex-1">
          <span className="mb-1 block font-medium">{t("filter.until")}</span>
          <input
            type="date"
            className="input"
            value={search.until ?? ""}
            min={search.from}
            onChange={(e) => set({ until: e.target.value || undefined })}
          />
        </label>
        {filtered && (
          <Button look="quiet" onClick={() => set({ kind: undefined, from: undefined, until: undefined })}>
            {t("filter.clear")}
          </Button>
        )}
        <a
          href={address("/api/user/credit/transactions/export", {}, asked)}
          download
          className={`${buttonClass()} max-sm:w-full sm:ml-auto`}
        >
          <Download aria-hidden className="size-4" />
          {t("action.export")}
        </a>
      </div>
      <Card flush>
        <Listing
          query={moves}
          label={t("credits.tab.moves")}
          columns={columns}
          id={(m) => m.id}
          icon={<ReceiptText aria-hidden className="size-5" />}
          none={filtered ? t("filter.nothing") : t("credits.moves.none")}
          hint={filtered && t("filter.nothing.hint")}
        />
      </Card>
    </div>
  );
}
