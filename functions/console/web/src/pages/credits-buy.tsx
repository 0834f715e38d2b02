import { useQuery } from "@tanstack/react-query";
import { ArrowUpRight } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { credits } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { buttonClass } from "../ui/button";
import { Modal } from "../ui/dialog";
import { Check, Form, TextField } from "../ui/form";
import { useToast } from "../ui/toast";

export type Offer = Answer<"/api/billing/offer">;

/** useWays is how credits can be had: by card at this hub (offer), or somewhere else (link). */
export function useWays(on: boolean) {
  const offer = useQuery({
    queryKey: ["offer"],
    queryFn: ({ signal }) => api.get("/api/billing/offer", { signal }),
    enabled: on,
  });
  const link = useQuery({
    queryKey: ["payment-link"],
    queryFn: ({ signal }) => api.get("/api/user/credit/payment-link", { signal }),
    enabled: on,
  });
  // The hub's own page sells what is sold here.
  const elsewhere = link.data && !link.data.endsWith("/api/billing/buy") ? link.data : undefined;
  return { offer: offer.data?.enabled ? offer.data : undefined, link: elsewhere };
}

/** price is money of an offer, in its currency. */
function price(locale: string, currency: string, amount: string): string {
  return new Intl.NumberFormat(locale, { style: "currency", currency, currencyDisplay: "narrowSymbol" }).format(
    amount as Intl.StringNumericLiteral,
  );
}

const own = "own";

/** Buy begins a purchase by card, which ends at the payment provider's page. */
export function Buy({ offer, open, onClose }: { offer: Offer; open: boolean; onClose: () => void }) {
  const { t, format } = useI18n();
  const [chosen, setChosen] = useState(offer.packages[0]?.id ?? own);
  const money = (amount: string) => price(format.locale, offer.currency, amount);
  return (
    <Modal open={open} onClose={onClose} title={t("credits.buy")} about={t("buy.about")}>
      <Form
        submit={
          <>
            {t("buy.submit")}
            <ArrowUpRight aria-hidden className="size-4" />
          </>
        }
        onCancel={onClose}
        save={async (value, form) => {
          const keep = (form.elements.namedItem("save_card") as HTMLInputElement).checked;
          const order = chosen === own ? { credits: value("credits") } : { package: chosen };
          const { url } = await api.post("/api/user/credit/checkout", {
            body: { ...order, save_card: keep, return_to: "console" },
          });
          location.assign(url);
        }}
      >
        {(fault) => (
          <>
            <fieldset className="flex flex-col gap-2" hidden={offer.packages.length === 0}>
              <legend className="mb-1 text-sm font-medium">{t("buy.how")}</legend>
              {offer.packages.map((p) => (
                <Way key={p.id} id={p.id} chosen={chosen} choose={setChosen} right={money(p.price)}>
                  {t("buy.package", { amount: credits(format, p.credits) })}
                </Way>
              ))}
              <Way id={own} chosen={chosen} choose={setChosen} right={t("buy.each", { price: money(offer.price) })}>
                {t("buy.own")}
              </Way>
            </fieldset>
            {chosen === own && (
              <TextField
                name="credits"
                label={t("call.credits")}
                hint={`${t("buy.between", { min: credits(format, offer.min), max: credits(format, offer.max) })} ${t("buy.each", { price: money(offer.price) })}`}
                inputMode="decimal"
                error={fault("credits")}
                required
                autoFocus
              />
            )}
            <Check name="save_card" label={t("buy.keep")} hint={t("buy.keep.hint")} />
            {offer.tax_added && <p className="text-sm text-ink-3">{t("buy.tax")}</p>}
          </>
        )}
      </Form>
    </Modal>
  );
}

interface WayProps {
  id: string;
  chosen: string;
  choose: (id: string) => void;
  right: string;
  children: string;
}

function Way({ id, chosen, choose, right, children }: WayProps) {
  return (
    <label
      className={`flex cursor-pointer items-center gap-3 rounded-lg border px-3 py-2.5 ${id === chosen ? "border-accent bg-accent-soft" : "border-line hover:border-line-strong"}`}
    >
      <input
        type="radio"
        name="package"
        value={id}
        checked={id === chosen}
        onChange={() => choose(id)}
        className="size-4 accent-accent-fill"
      />
      <span className="flex-1 font-medium">{children}</span>
      <span className="tabular-nums text-ink-2">{right}</span>
    </label>
  );
}

/** BuyElsewhere leads to where the operator, or a Payment Kit beside the hub, sells credits. */
export function BuyElsewhere({ link, beside }: { link: string; beside: boolean }) {
  const { t } = useI18n();
  return (
    <a href={link} className={buttonClass(beside ? "plain" : "primary")}>
      {t(beside ? "buy.elsewhere" : "credits.buy")}
      <ArrowUpRight aria-hidden className="size-4" />
    </a>
  );
}

/** Redeem turns a code into credits. */
export function Redeem({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t, format } = useI18n();
  const invalidate = useInvalidate();
  const say = useToast();
  return (
    <Modal open={open} onClose={onClose} title={t("credits.redeem")} about={t("credits.redeem.about")}>
      <Form
        submit={t("credits.redeem")}
        onCancel={onClose}
        save={async (value) => {
          const got = await api.post("/api/user/credit/redeem", { body: { code: value("code") } });
          await invalidate("balance", "grants", "moves", "quota");
          say(t("credits.redeemed", { amount: credits(format, got.grant.amount) }));
          onClose();
        }}
      >
        {(fault) => (
          <TextField
            name="code"
            label={t("credits.code")}
            error={fault("code")}
            autoComplete="off"
            spellCheck={false}
            required
            autoFocus
          />
        )}
      </Form>
    </Modal>
  );
}
