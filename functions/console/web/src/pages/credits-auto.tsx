import { useQuery } from "@tanstack/react-query";
import { CreditCard } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { client, useInvalidate } from "../app/session";
import { credits, share } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm, Modal } from "../ui/dialog";
import { Check, Form, TextField } from "../ui/form";
import { Card, Facts } from "../ui/page";
import { Badge, Loaded, Note } from "../ui/states";
import { useToast } from "../ui/toast";
import type { Offer } from "./credits-buy";

type Cards = Answer<"/api/user/credit/cards">;
type Notices = Answer<"/api/user/credit/notices">;

/** Automatic has credits bought by themselves when few are left. */
export function Automatic({ offer, onBuy }: { offer: Offer; onBuy: () => void }) {
  const { t } = useI18n();
  const cards = useQuery({ queryKey: ["cards"], queryFn: ({ signal }) => api.get("/api/user/credit/cards", { signal }) });
  return (
    <Card title={t("auto.title")}>
      <Loaded query={cards}>{(cards) => <State of={cards} offer={offer} onBuy={onBuy} />}</Loaded>
    </Card>
  );
}

function State({ of: { card, automatic: auto }, offer, onBuy }: { of: Cards; offer: Offer; onBuy: () => void }) {
  const { t, format } = useI18n();
  const invalidate = useInvalidate();
  const say = useToast();
  const [doing, setDoing] = useState<"set" | "stop" | "forget">();
  const close = () => setDoing(undefined);
  const on = auto?.enabled === true;
  const currency = offer.currency.toUpperCase();
  return (
    <div className="flex flex-col gap-4">
      <p className="text-ink-2">{t("auto.about")}</p>
      {offer.tax_added && <Note>{t("auto.tax")}</Note>}
      {auto && !on && auto.error && <Note kind="warn">{t("auto.stopped", { why: auto.error })}</Note>}
      {on && auto.failures > 0 && <Note kind="warn">{t("auto.failed", { n: auto.failures, why: auto.error })}</Note>}
      <Facts
        items={[
          [
            t("auto.state"),
            on ? (
              <Badge key="s" kind="ok">
                {t("auto.on")}
              </Badge>
            ) : (
              <Badge key="s">{t("auto.off")}</Badge>
            ),
          ],
          on && [t("auto.threshold"), credits(format, auto.threshold)],
          on && [t("auto.credits"), credits(format, auto.credits)],
          on && [
            t("auto.month"),
            <span key="m" className="tabular-nums">
              {auto.month_spent} / {auto.monthly_cap} {auto.currency.toUpperCase()}
              <progress
                aria-label={t("auto.month")}
                max={100}
                value={share(auto.month_spent, auto.monthly_cap)}
                className="mt-1 block w-40"
              />
            </span>,
          ],
          [
            t("auto.card"),
            card ? (
              <span key="c" className="inline-flex items-center gap-2 capitalize">
                <CreditCard aria-hidden className="size-4 text-ink-3" />
                {card}
              </span>
            ) : (
              t("auto.nocard")
            ),
          ],
        ]}
      />
      {!card && !offer.tax_added && <p className="text-sm text-ink-3">{t("auto.nocard.hint")}</p>}
      <div className="flex flex-wrap gap-2">
        {card && !offer.tax_added && (
          <Button look={on ? "plain" : "primary"} onClick={() => setDoing("set")}>
            {on ? t("action.edit") : t("auto.start")}
          </Button>
        )}
        {on && <Button onClick={() => setDoing("stop")}>{t("auto.stop")}</Button>}
        {!card && <Button onClick={onBuy}>{t("credits.buy")}</Button>}
        {card && (
          <Button look="quiet" onClick={() => setDoing("forget")}>
            {t("auto.forget")}
          </Button>
        )}
      </div>
      <Modal open={doing === "set"} onClose={close} title={t("auto.title")} about={t("auto.set.about", { card })}>
        <Form
          submit={on ? t("action.save") : t("auto.start")}
          onCancel={close}
          save={async (value) => {
            await api.put("/api/user/credit/auto-topup", {
              body: { threshold: value("threshold"), credits: value("credits"), monthly_cap: value("monthly_cap") },
            });
            await invalidate("cards");
            say(t("action.saved"));
            close();
          }}
        >
          {(fault) => (
            <>
              <TextField
                name="threshold"
                label={t("auto.threshold")}
                hint={t("auto.threshold.hint")}
                inputMode="decimal"
                defaultValue={auto?.threshold ?? "5"}
                error={fault("threshold")}
                required
              />
              <TextField
                name="credits"
                label={t("auto.credits")}
                hint={t("buy.between", { min: credits(format, offer.min), max: credits(format, offer.max) })}
                inputMode="decimal"
                defaultValue={auto?.credits ?? offer.min}
                error={fault("credits")}
                required
              />
              <TextField
                name="monthly_cap"
                label={t("auto.cap", { currency })}
                hint={t("auto.cap.hint")}
                inputMode="decimal"
                defaultValue={auto?.monthly_cap ?? ""}
                error={fault("monthly_cap")}
                required
              />
            </>
          )}
        </Form>
      </Modal>
      <Confirm
        open={doing === "stop"}
        onClose={close}
        title={t("auto.stop")}
        consequences={t("auto.stop.consequences")}
        action={t("auto.stop")}
        act={async () => {
          await api.delete("/api/user/credit/auto-topup");
          await invalidate("cards");
        }}
      />
      <Confirm
        open={doing === "forget"}
        onClose={close}
        title={t("auto.forget")}
        consequences={t("auto.forget.consequences")}
        action={t("auto.forget")}
        act={async () => {
          await api.delete("/api/user/credit/cards");
          await invalidate("cards");
        }}
      />
    </div>
  );
}

/** NoticesCard chooses when somebody is told that credits run out, and how. */
export function NoticesCard() {
  const { t } = useI18n();
  const notices = useQuery({ queryKey: ["notices"], queryFn: ({ signal }) => api.get("/api/user/credit/notices", { signal }) });
  const ways = useQuery({ queryKey: ["ways"], queryFn: ({ signal }) => api.get("/api/auth/providers", { signal }) });
  return (
    <Card title={t("notices.title")}>
      <Loaded query={notices}>{(n) => <NoticesForm of={n} mail={ways.data?.mail !== false} />}</Loaded>
    </Card>
  );
}

function NoticesForm({ of: n, mail }: { of: Notices; mail: boolean }) {
  const { t, format } = useI18n();
  const say = useToast();
  const [how, setHow] = useState(n.low_balance === null ? "hub" : n.low_balance === "0" ? "empty" : "own");
  const hub = n.hub_low_balance === "0" ? "hub.empty" : "hub";
  return (
    <Form
      submit={t("action.save")}
      save={async (value, form) => {
        const now = await api.put("/api/user/credit/notices", {
          body: {
            email: (form.elements.namedItem("email") as HTMLInputElement).checked,
            low_balance: how === "hub" ? null : how === "empty" ? "0" : value("low_balance"),
          },
        });
        client.setQueryData(["notices"], now);
        say(t("action.saved"));
      }}
    >
      {(fault) => (
        <>
          <p className="text-ink-2">{t("notices.about")}</p>
          {!mail && <Note>{t("notices.nomail")}</Note>}
          <Check name="email" label={t("notices.email")} hint={t("notices.email.hint")} defaultChecked={n.email ?? true} />
          <fieldset className="flex flex-col gap-2">
            <legend className="mb-1 text-sm font-medium">{t("notices.when")}</legend>
            {(["hub", "own", "empty"] as const).map((way) => (
              <label key={way} className="flex items-center gap-2.5">
                <input
                  type="radio"
                  name="how"
                  value={way}
                  checked={how === way}
                  onChange={() => setHow(way)}
                  className="size-4 accent-accent-fill"
                />
                {t(`notices.when.${way === "hub" ? hub : way}`, { amount: credits(format, n.hub_low_balance) })}
              </label>
            ))}
          </fieldset>
          {how === "own" && (
            <TextField
              name="low_balance"
              label={t("notices.low")}
              inputMode="decimal"
              defaultValue={[n.low_balance, n.hub_low_balance].find((x) => x && x !== "0") ?? ""}
              error={fault("low_balance")}
              required
            />
          )}
        </>
      )}
    </Form>
  );
}
