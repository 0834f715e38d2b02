import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import { useInvalidate } from "../app/session";
import { useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm, Modal } from "../ui/dialog";
import { Check, Form, TextField } from "../ui/form";
import { Badge, Empty, Loaded, Rows } from "../ui/states";
import { Pager } from "../ui/table";
import type { Holder } from "./wallets";

/** Members are the users who may spend from a shared wallet. */
export function Members({ wallet }: { wallet: Holder }) {
  const t = useT();
  const invalidate = useInvalidate();
  const [adding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<string>();
  const [cursors, setCursors] = useState<string[]>([]);
  const members = useQuery({
    queryKey: ["members", wallet.id, cursors.at(-1)],
    queryFn: ({ signal }) =>
      api.get("/api/user/wallets/{name}/members", {
        params: { name: wallet.id },
        query: { cursor: cursors.at(-1), pageSize: 20 },
        signal,
      }),
    placeholderData: keepPreviousData,
  });
  const next = members.data?.next_cursor;
  return (
    <div className="flex flex-col gap-3">
      {!wallet.closed_at && (
        <Button className="self-start" onClick={() => setAdding(true)}>
          {t("wallets.member.add")}
        </Button>
      )}
      <Loaded query={members} loading={<Rows n={3} />}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title={t("wallets.members.none")} />
          ) : (
            <ul className="divide-y divide-line rounded-lg border border-line">
              {data.map((m) => (
                <li key={m.email} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2">
                  <span className="min-w-0 flex-1 break-all">{m.name ? `${m.name} (${m.email})` : m.email}</span>
                  {m.manager && <Badge kind="info">{t("wallets.manager")}</Badge>}
                  <Button small onClick={() => setLeaving(m.email)}>
                    {t("action.remove")}
                  </Button>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      <Pager
        newer={cursors.length > 0 ? () => setCursors(cursors.slice(0, -1)) : undefined}
        older={next ? () => setCursors([...cursors, next]) : undefined}
      />
      <Modal open={adding} onClose={() => setAdding(false)} title={t("wallets.member.add")} about={wallet.wallet}>
        <Form
          submit={t("wallets.member.add")}
          onCancel={() => setAdding(false)}
          save={async (value) => {
            await api.put("/api/user/wallets/{name}/members/{email}", {
              params: { name: wallet.id, email: value("email") },
              body: { manager: value("manager") !== "" },
            });
            await invalidate("members");
            setAdding(false);
          }}
        >
          {(fault) => (
            <>
              <TextField name="email" type="email" label={t("field.email")} error={fault("email")} autoComplete="off" required />
              <Check name="manager" label={t("wallets.manager")} hint={t("wallets.manager.hint")} />
            </>
          )}
        </Form>
      </Modal>
      <Confirm
        open={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        title={t("wallets.member.remove.title", { email: leaving ?? "" })}
        consequences={t("wallets.member.remove.consequences")}
        action={t("action.remove")}
        act={async () => {
          await api.delete("/api/user/wallets/{name}/members/{email}", { params: { name: wallet.id, email: leaving ?? "" } });
          await invalidate("members");
        }}
      />
    </div>
  );
}
