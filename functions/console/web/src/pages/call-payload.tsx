import { useQuery } from "@tanstack/react-query";
import { FileText, Trash2 } from "lucide-react";
import { useEffect, useState } from "react";
import { type Answer, ApiError, api } from "../api/client";
import { isAdmin, useInvalidate, useMe } from "../app/session";
import { count, dateTime } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { Code } from "../ui/copy";
import { Confirm } from "../ui/dialog";
import { Badge, Loaded, Note } from "../ui/states";

type Payload = Answer<"/api/user/model-calls/{id}/payload">;
type Body = NonNullable<Payload["request"]>;

/** Kept is what was kept of the bodies of a call, once it is asked for: that an admin looked goes on record. */
export function Kept({ id, onRequest }: { id: string; onRequest: (text: string | undefined) => void }) {
  const { t } = useI18n();
  const me = useMe();
  const [wanted, setWanted] = useState(false);
  const payload = useQuery({
    queryKey: ["payload", id],
    queryFn: async ({ signal }) => {
      try {
        return await api.get("/api/user/model-calls/{id}/payload", { params: { id }, signal });
      } catch (fault) {
        if (fault instanceof ApiError && fault.status === 404) return null; // nothing kept is no fault
        throw fault;
      }
    },
    enabled: wanted,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const request = payload.data?.request;
  const whole = request && !request.cut && request.text ? request.text : undefined;
  useEffect(() => onRequest(whole), [whole, onRequest]);
  if (!wanted)
    return (
      <div className="flex flex-wrap items-center gap-3">
        <Button small icon={<FileText aria-hidden className="size-4" />} onClick={() => setWanted(true)}>
          {t("call.payload.show")}
        </Button>
        {isAdmin(me?.user.role) && <span className="text-sm text-ink-3">{t("call.payload.recorded")}</span>}
      </div>
    );
  return (
    <Loaded query={payload}>
      {(p) => (p === null ? <p className="text-ink-3">{t("call.payload.none")}</p> : <Bodies of={p} id={id} />)}
    </Loaded>
  );
}

function Bodies({ of: p, id }: { of: Payload; id: string }) {
  const { t, format } = useI18n();
  const [asking, setAsking] = useState(false);
  const invalidate = useInvalidate();
  const out = Object.values(p.redacted ?? {}).reduce((sum, n) => sum + n, 0);
  return (
    <div className="flex flex-col gap-3">
      {out > 0 && (
        <Note>{t("call.payload.redacted", { n: count(format, out), kinds: Object.keys(p.redacted ?? {}).join(", ") })}</Note>
      )}
      {p.request && <One body={p.request} label={t("call.payload.request")} />}
      {p.response && <One body={p.response} label={t("call.payload.response")} />}
      <div className="flex flex-wrap items-center justify-between gap-2">
        <span className="text-sm text-ink-3">{t("call.payload.until", { at: dateTime(format, p.expires_at) })}</span>
        <Button small icon={<Trash2 aria-hidden className="size-4" />} onClick={() => setAsking(true)}>
          {t("call.payload.forget")}
        </Button>
      </div>
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title={t("call.payload.forget")}
        consequences={t("call.payload.forget.consequences")}
        action={t("action.remove")}
        act={async () => {
          await api.delete("/api/user/model-calls/{id}/payload", { params: { id } });
          await invalidate("payload");
        }}
      />
    </div>
  );
}

/** pretty indents JSON; other texts stay as they are. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function One({ body, label }: { body: Body; label: string }) {
  const { t, format } = useI18n();
  const head = [
    label,
    body.type,
    body.status && `HTTP ${body.status}`,
    t("call.payload.bytes", { n: count(format, body.bytes) }),
  ];
  return (
    <div>
      {body.text ? (
        <Code label={head.filter(Boolean).join(" · ")} text={pretty(body.text)} />
      ) : (
        <p className="text-ink-3">
          {head.filter(Boolean).join(" · ")}
          {body.sha256 && ` · SHA-256 ${body.sha256}`}
        </p>
      )}
      {body.cut && (
        <p className="mt-1">
          <Badge kind="warn">{t("call.payload.cut")}</Badge>
        </p>
      )}
    </div>
  );
}
