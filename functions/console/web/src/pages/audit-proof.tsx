import { useMutation } from "@tanstack/react-query";
import { ShieldCheck } from "lucide-react";
import { useState } from "react";
import { api } from "../api/client";
import { count } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { CopyButton } from "../ui/copy";
import { Modal } from "../ui/dialog";
import { Form, TextField } from "../ui/form";
import { Mono } from "../ui/page";
import { Note } from "../ui/states";
import { Violations } from "./books";

/** AuditProof makes the chain of the log once more and says whether it holds. */
export function AuditProof() {
  const { t } = useI18n();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button icon={<ShieldCheck aria-hidden className="size-4" />} onClick={() => setOpen(true)}>
        {t("audit.verify")}
      </Button>
      <Modal open={open} onClose={() => setOpen(false)} title={t("audit.verify")} about={t("audit.verify.about")}>
        <Proof />
      </Modal>
    </>
  );
}

function Proof() {
  const { t, format } = useI18n();
  const proof = useMutation({
    mutationFn: (anchor: string) => api.get("/api/admin/audit/verify", { query: { anchor: anchor || undefined } }),
  });
  const r = proof.data;
  const head = r && `${r.head.number}:${r.head.hash}`;
  return (
    <div className="flex flex-col gap-4">
      <Form submit={t("audit.verify")} save={(value) => proof.mutateAsync(value("anchor"))}>
        {(fault) => (
          <TextField
            name="anchor"
            label={t("audit.anchor")}
            hint={t("audit.anchor.hint")}
            error={fault("anchor")}
            autoComplete="off"
            spellCheck={false}
          />
        )}
      </Form>
      {proof.isPending && (
        <p role="status" className="text-ink-3">
          {t("audit.working")}
        </p>
      )}
      {r && !proof.isPending && (
        <>
          {r.ok ? (
            <Note kind="ok">{t("audit.ok", { n: count(format, r.rows) })}</Note>
          ) : (
            <>
              <Note kind="danger">{t("audit.wrong")}</Note>
              <Violations of={r.violations ?? []} />
            </>
          )}
          {head && (
            <div>
              <p className="mb-1 text-sm font-medium">{t("audit.head")}</p>
              <div className="flex items-center gap-2 rounded-lg border border-line bg-sunken p-2 pl-3">
                <span className="min-w-0 flex-1">
                  <Mono>{head}</Mono>
                </span>
                <CopyButton text={head} />
              </div>
              <p className="mt-1 text-sm text-ink-3">{t("audit.head.hint")}</p>
            </div>
          )}
        </>
      )}
    </div>
  );
}
