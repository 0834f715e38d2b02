import { api, type Body } from "../api/client";
import { useInvalidate } from "../app/session";
import { useT } from "../lib/i18n";
import { Form, SelectField, TextField } from "../ui/form";
import { useToast } from "../ui/toast";

/** Purse names a wallet as the hub's books do: a user's by the address, or a shared one by its name. */
export type Purse = { email: string } | { wallet: string };

interface Props {
  to: Purse;
  name: string;
  onClose: () => void;
}

/** moved are the lists that a movement of credits makes old. */
export const moved = ["balance", "grants", "moves", "quota", "wallets", "user"];

const until = (local: string): string | null => (local ? new Date(local).toISOString() : null);

/** GrantForm gives credits to a wallet. */
export function GrantForm({ to, name, onClose }: Props) {
  const t = useT();
  const say = useToast();
  const invalidate = useInvalidate();
  return (
    <Form
      submit={t("users.grant")}
      onCancel={onClose}
      save={async (value) => {
        await api.post("/api/billing/grants", {
          body: {
            ...to,
            amount: value("amount"),
            kind: value("kind") as "promotional" | "purchased",
            reason: value("reason"),
            expires_at: until(value("expires_at")),
          },
        });
        await invalidate(...moved);
        say(t("users.granted", { email: name, amount: value("amount") }));
        onClose();
      }}
    >
      {(fault) => (
        <>
          <TextField name="amount" label={t("call.credits")} inputMode="decimal" error={fault("amount")} required />
          <SelectField name="kind" label={t("money.kind")} hint={t("money.kind.hint")} error={fault("kind")}>
            <option value="promotional">{t("grant.promotional")}</option>
            <option value="purchased">{t("grant.purchased")}</option>
          </SelectField>
          <TextField name="reason" label={t("rates.reason")} hint={t("money.reason.hint")} error={fault("reason")} required />
          <TextField
            name="expires_at"
            type="datetime-local"
            label={t("keys.expires")}
            hint={t("users.grant.expires")}
            error={fault("expires_at")}
          />
        </>
      )}
    </Form>
  );
}

/** AdjustForm corrects a wallet up or down. The id makes a repeated try correct once. */
export function AdjustForm({ to, name, onClose }: Props) {
  const t = useT();
  const say = useToast();
  const invalidate = useInvalidate();
  const id = crypto.randomUUID();
  return (
    <Form
      submit={t("money.adjust")}
      onCancel={onClose}
      save={async (value) => {
        const amount = value("amount").replace(/^\+/, "");
        await api.post("/api/billing/adjustments", {
          body: {
            ...to,
            id,
            amount: value("way") === "down" ? `-${amount}` : amount,
            reason: value("reason"),
          },
        });
        await invalidate(...moved);
        say(t("money.adjusted", { name }));
        onClose();
      }}
    >
      {(fault) => (
        <>
          <SelectField name="way" label={t("money.way")}>
            <option value="up">{t("money.up")}</option>
            <option value="down">{t("money.down")}</option>
          </SelectField>
          <TextField name="amount" label={t("call.credits")} inputMode="decimal" error={fault("amount")} required />
          <TextField name="reason" label={t("rates.reason")} hint={t("money.reason.hint")} error={fault("reason")} required />
        </>
      )}
    </Form>
  );
}

/** ReverseForm takes credits of a grant back: what is spent of them becomes a debt. */
export function ReverseForm({ to, name, onClose, grant }: Props & { grant: { id: string; remaining: string; amount: string } }) {
  const t = useT();
  const say = useToast();
  const invalidate = useInvalidate();
  const id = crypto.randomUUID();
  return (
    <Form
      danger
      submit={t("money.reverse")}
      onCancel={onClose}
      save={async (value) => {
        const done = await api.post("/api/billing/reversals", {
          body: {
            ...to,
            id,
            grant_id: grant.id,
            amount: value("amount"),
            cause: value("cause") as Body<"/api/billing/reversals", "post">["cause"],
            reason: value("reason"),
          },
        });
        await invalidate(...moved);
        say(t("money.reversed", { name, taken: done.taken, debt: done.debt }));
        onClose();
      }}
    >
      {(fault) => (
        <>
          <TextField
            name="amount"
            label={t("call.credits")}
            hint={t("money.reverse.hint", { remaining: grant.remaining, amount: grant.amount })}
            inputMode="decimal"
            defaultValue={grant.remaining}
            error={fault("amount")}
            required
          />
          <SelectField name="cause" label={t("money.cause")} error={fault("cause")} defaultValue="correction">
            <option value="correction">{t("money.cause.correction")}</option>
            <option value="refund">{t("money.cause.refund")}</option>
            <option value="dispute">{t("money.cause.dispute")}</option>
          </SelectField>
          <TextField name="reason" label={t("rates.reason")} hint={t("money.reason.hint")} error={fault("reason")} required />
        </>
      )}
    </Form>
  );
}

/** TransferForm moves credits from a wallet to another. */
export function TransferForm({ to: from, name, onClose }: Props) {
  const t = useT();
  const say = useToast();
  const invalidate = useInvalidate();
  const id = crypto.randomUUID();
  return (
    <Form
      submit={t("money.transfer")}
      onCancel={onClose}
      save={async (value) => {
        const target = value("to");
        const to = target.includes("@") ? { email: target, wallet: "" } : { email: "", wallet: target };
        await api.post("/api/billing/transfers", {
          body: { id, from: { email: "", wallet: "", ...from }, to, amount: value("amount"), reason: value("reason") },
        });
        await invalidate(...moved);
        say(t("money.transferred", { name, to: target, amount: value("amount") }));
        onClose();
      }}
    >
      {(fault) => (
        <>
          <TextField
            name="to"
            label={t("money.to")}
            hint={t("money.to.hint")}
            error={fault("user") ?? fault("to")}
            autoComplete="off"
            required
          />
          <TextField name="amount" label={t("call.credits")} inputMode="decimal" error={fault("amount")} required />
          <TextField name="reason" label={t("rates.reason")} hint={t("money.reason.hint")} error={fault("reason")} required />
        </>
      )}
    </Form>
  );
}
