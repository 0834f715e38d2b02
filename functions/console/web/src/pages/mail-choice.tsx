import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import { useI18n, useT } from "../lib/i18n";
import { Check, Form, TextField } from "../ui/form";
import { Card } from "../ui/page";
import { Loaded, Note, Rows } from "../ui/states";
import { useToast } from "../ui/toast";

export function useMailKinds() {
  return useQuery({
    queryKey: ["mail-kinds"],
    queryFn: ({ signal }) => api.get("/api/admin/notifications/email", { signal }),
  });
}

/** Kinds lets choose among the kinds of events. */
export function Kinds({ all, chosen }: { all: string[]; chosen: string[] }) {
  const { known } = useI18n();
  return (
    <div className="grid gap-2 sm:grid-cols-2">
      {all.map((k) => (
        <Check key={k} name={k} label={known(`kind.${k}`, k)} defaultChecked={chosen.includes(k)} />
      ))}
    </div>
  );
}

/** MailChoice says what goes out by e-mail, and below which balance users are told. */
export function MailChoice() {
  const t = useT();
  const kinds = useMailKinds();
  return (
    <div className="flex flex-col gap-5">
      {kinds.data && kinds.data.server === false && <Note kind="warn">{t("mail.noserver")}</Note>}
      <Card title={t("mail.kinds")}>
        <Loaded query={kinds} loading={<Rows n={4} />}>
          {(k) => <Choose key={JSON.stringify(k.kinds)} available={k.available ?? []} kinds={k.kinds} />}
        </Loaded>
      </Card>
      <LowBalance />
    </div>
  );
}

function Choose({ available, kinds }: { available: string[]; kinds: string[] | null }) {
  const t = useT();
  const say = useToast();
  const queries = useQueryClient();
  const [usual, setUsual] = useState(kinds === null);
  return (
    <Form
      submit={t("action.save")}
      save={async (value) => {
        await api.put("/api/admin/notifications/email", { body: { kinds: usual ? null : available.filter((k) => value(k)) } });
        await queries.invalidateQueries({ queryKey: ["mail-kinds"] });
        say(t("action.saved"));
      }}
    >
      {(fault) => (
        <>
          <Check
            name="usual"
            label={t("mail.usual")}
            hint={t("mail.usual.hint")}
            checked={usual}
            onChange={(e) => setUsual(e.target.checked)}
          />
          {!usual && <Kinds all={available} chosen={kinds ?? []} />}
          {fault("kinds") && <p className="text-sm text-danger">{fault("kinds")}</p>}
        </>
      )}
    </Form>
  );
}

function LowBalance() {
  const t = useT();
  const say = useToast();
  const queries = useQueryClient();
  const low = useQuery({
    queryKey: ["low-balance"],
    queryFn: ({ signal }) => api.get("/api/admin/notifications/low-balance", { signal }),
  });
  return (
    <Card title={t("mail.low")}>
      <Loaded query={low} loading={<Rows n={2} />}>
        {(l) => (
          <Form
            submit={t("action.save")}
            save={async (value) => {
              const saved = await api.put("/api/admin/notifications/low-balance", {
                body: { low_balance: value("low_balance") },
              });
              queries.setQueryData(["low-balance"], saved);
              say(t("action.saved"));
            }}
          >
            {(fault) => (
              <div className="sm:max-w-xs">
                <TextField
                  name="low_balance"
                  inputMode="decimal"
                  label={t("mail.low.field")}
                  hint={t("mail.low.hint")}
                  defaultValue={l.low_balance}
                  error={fault("low_balance")}
                  required
                />
              </div>
            )}
          </Form>
        )}
      </Loaded>
    </Card>
  );
}
