import { useMutation } from "@tanstack/react-query";
import { BookCheck } from "lucide-react";
import { useState } from "react";
import { api } from "../api/client";
import { count } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { Check } from "../ui/form";
import { Card, Mono } from "../ui/page";
import { Note, useFault } from "../ui/states";

/** Books proves the hub's own books. */
export function Books() {
  const { t, format } = useI18n();
  const fault = useFault();
  const [whole, setWhole] = useState(false);
  const proof = useMutation({
    mutationFn: () => api.get("/api/billing/ledger/verify", { query: { all: whole ? "true" : undefined } }),
  });
  const r = proof.data;
  return (
    <Card title={t("books.title")}>
      <div className="flex flex-col gap-4">
        <p className="text-ink-3">{t("books.about")}</p>
        <Check
          name="whole"
          label={t("books.whole")}
          hint={t("books.whole.hint")}
          checked={whole}
          onChange={(e) => setWhole(e.target.checked)}
        />
        <Button
          look="primary"
          className="self-start"
          busy={proof.isPending}
          icon={<BookCheck aria-hidden className="size-4" />}
          onClick={() => proof.mutate()}
        >
          {t("books.verify")}
        </Button>
        {proof.isPending && (
          <p role="status" className="text-ink-3">
            {t("books.working")}
          </p>
        )}
        {proof.error && <Note kind="danger">{fault(proof.error)}</Note>}
        {r &&
          !proof.isPending &&
          (r.ok ? (
            <Note kind="ok">{t("books.ok", { n: count(format, r.operations) })}</Note>
          ) : (
            <>
              <Note kind="danger">{t("books.wrong")}</Note>
              <Violations of={r.violations ?? []} />
            </>
          ))}
      </div>
    </Card>
  );
}

/** Violations are the rules that do not hold, and about what. */
export function Violations({ of }: { of: { rule: string; subject: string; detail: string }[] }) {
  return (
    <ul className="divide-y divide-line rounded-lg border border-line">
      {of.map((v) => (
        <li key={`${v.rule} ${v.subject} ${v.detail}`} className="px-3 py-2">
          <p className="font-medium">{v.rule}</p>
          {v.subject && <Mono>{v.subject}</Mono>}
          <p className="text-sm break-words text-ink-3">{v.detail}</p>
        </li>
      ))}
    </ul>
  );
}
