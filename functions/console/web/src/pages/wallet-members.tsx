import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm, Modal } from "../ui/dialog";
import { Check, Form, TextField } from "../ui/form";
import { Time } from "../ui/page";
import { Badge, Empty, Loaded, Rows } from "../ui/states";
import { Pager } from "../ui/table";

type Member = Answer<"/api/user/wallets/{name}/members">["data"][number];

/** Members are the users who may spend from a shared wallet; nobody joins one that is closed. */
export function Members({ id, name, closed }: { id: string; name: string; closed?: boolean }) {
  const t = useT();
  const invalidate = useInvalidate();
  const [cursors, setCursors] = useState<string[]>([]);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Member>();
  const cursor = cursors.at(-1);
  const members = useQuery({
    queryKey: ["members", id, cursor],
    queryFn: ({ signal }) =>
      api.get("/api/user/wallets/{name}/members", { params: { name: id }, query: { cursor, pageSize: 20 }, signal }),
    placeholderData: keepPreviousData,
  });
  const next = members.data?.next_cursor;
  return (
    <section>
      <div className="mb-2 flex items-center justify-between gap-3">
        <h3 className="font-semibold">{t("wallets.members")}</h3>
        {!closed && (
          <Button small icon={<Plus aria-hidden className="size-4" />} onClick={() => setAdding(true)}>
            {t("wallets.add")}
          </Button>
        )}
      </div>
      <Loaded query={members} loading={<Rows n={3} />}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title={t("wallets.members.none")} />
          ) : (
            <ul className="flex flex-col divide-y divide-line rounded-lg border border-line">
              {data.map((m) => (
                <li key={m.email} className="flex items-center gap-3 px-3 py-2">
                  <div className="min-w-0 flex-1">
                    <p className="truncate font-medium">{m.name || m.email}</p>
                    <p className="truncate text-sm text-ink-3">
                      {m.name && `${m.email} · `}
                      {t("wallets.since")} <Time at={m.created_at} />
                    </p>
                  </div>
                  {m.manager && <Badge kind="info">{t("wallets.manager")}</Badge>}
                  <Button small look="quiet" onClick={() => setRemoving(m)}>
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
      <Modal open={adding} onClose={() => setAdding(false)} title={t("wallets.add")} about={t("wallets.add.about", { name })}>
        <Form
          submit={t("wallets.add")}
          onCancel={() => setAdding(false)}
          save={async (value, form) => {
            await api.put("/api/user/wallets/{name}/members/{email}", {
              params: { name: id, email: value("email") },
              body: { manager: (form.elements.namedItem("manager") as HTMLInputElement).checked },
            });
            await invalidate("members");
            setAdding(false);
          }}
        >
          {(fault) => (
            <>
              <TextField name="email" type="email" label={t("field.email")} error={fault("email")} required autoFocus />
              <Check name="manager" label={t("wallets.manager")} hint={t("wallets.manager.hint")} />
            </>
          )}
        </Form>
      </Modal>
      <Confirm
        open={removing !== undefined}
        onClose={() => setRemoving(undefined)}
        title={t("wallets.remove.title", { name: removing?.name || removing?.email || "" })}
        consequences={t("wallets.remove.consequences")}
        action={t("action.remove")}
        act={async () => {
          if (!removing) return;
          await api.delete("/api/user/wallets/{name}/members/{email}", { params: { name: id, email: removing.email } });
          await invalidate("members", "wallets");
        }}
      />
    </section>
  );
}
