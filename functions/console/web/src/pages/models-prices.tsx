import { Link } from "@tanstack/react-router";
import { MessageSquare } from "lucide-react";
import { count, credits, duration, percent } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { buttonClass } from "../ui/button";
import { CopyButton } from "../ui/copy";
import { Facts, Mono } from "../ui/page";
import { Badge } from "../ui/states";
import { useBucketName } from "./call-price";
import { capabilities, type Fares, ownPrices, type Price, perMillion, pieces } from "./models-query";

/** Can names what a model is known to do beside answering texts. */
export function Can({ of: p }: { of: Price }) {
  const { t } = useI18n();
  const all = capabilities.filter((c) => p.capabilities.includes(c));
  if (all.length === 0) return null;
  return <div className="text-sm text-ink-3">{all.map((c) => t(`models.can.${c}`)).join(" · ")}</div>;
}

/** tabOf is where the playground tries a kind of work out; undefined is its chat. */
const tabOf: Record<string, string> = {
  imageGeneration: "image",
  video: "video",
  embedding: "embedding",
  audioGeneration: "speech",
};

/** TryIt leads to the playground with a model chosen. */
export function TryIt({ of: p, small }: { of: Price; small?: boolean }) {
  const { t } = useI18n();
  if (p.type === "moderation" || p.type === "rerank") return null;
  return (
    <Link to="/playground" search={{ model: p.model, tab: tabOf[p.type] }} className={buttonClass("plain", small)}>
      <MessageSquare aria-hidden className="size-4" />
      {t("models.try")}
    </Link>
  );
}

/** State says how a model fares in a word. */
export function State({ of: s }: { of: Fares | undefined }) {
  const { t, format } = useI18n();
  if (s?.available === true)
    return <Badge kind="ok">{s.success_rate === null ? t("models.up") : percent(format, s.success_rate)}</Badge>;
  if (s?.available === false) return <Badge kind="danger">{t("models.down")}</Badge>;
  return <Badge>{t("models.idle")}</Badge>;
}

/** Prices are all that is known of what a model costs, and how it fares. */
export function Prices({ of: p, fares }: { of: Price; fares: Fares | undefined }) {
  const { t, format } = useI18n();
  const bucketName = useBucketName();
  const rows = ownPrices(p);
  return (
    <div className="flex flex-col gap-6">
      <div className="flex flex-wrap items-center gap-2">
        <Mono>{p.model}</Mono>
        <CopyButton text={p.model} />
        <TryIt of={p} small />
      </div>
      {p.capabilities.length > 0 && (
        <ul className="flex flex-wrap gap-1.5">
          {capabilities
            .filter((c) => p.capabilities.includes(c))
            .map((c) => (
              <li key={c}>
                <Badge>{t(`models.can.${c}`)}</Badge>
              </li>
            ))}
        </ul>
      )}
      <Facts
        items={[
          [t("provider.one"), p.provider],
          !!p.context_length && [t("models.context"), count(format, p.context_length)],
          !!p.max_output_tokens && [t("models.output.most"), count(format, p.max_output_tokens)],
          !!fares && fares.success_rate !== null && [t("status.rate"), percent(format, fares.success_rate)],
          !!fares && fares.response_ms !== null && [t("status.response"), duration(format, fares.response_ms)],
        ]}
      />
      {rows.length > 0 && (
        <section>
          <h3 className="mb-2 font-semibold">{t("models.prices")}</h3>
          <Facts
            items={rows.map(
              ([bucket, amount]) =>
                [
                  bucketName(bucket),
                  pieces.has(bucket)
                    ? t("models.per.one", { amount: credits(format, amount) })
                    : t("models.per.million", { amount: credits(format, perMillion(amount)) }),
                ] as const,
            )}
          />
        </section>
      )}
      {p.tiers?.map((tier) => (
        <section key={tier.above}>
          <h3 className="mb-2 font-semibold">{t("models.tier", { n: count(format, tier.above) })}</h3>
          <Facts
            items={Object.entries(tier.prices).map(
              ([bucket, amount]) =>
                [bucketName(bucket), t("models.per.million", { amount: credits(format, perMillion(amount)) })] as const,
            )}
          />
        </section>
      ))}
      {p.variants && p.variants.length > 0 && (
        <section>
          <h3 className="mb-2 font-semibold">{t("models.variants")}</h3>
          <Facts items={p.variants.map((v) => [v.unit, credits(format, v.rate)] as const)} />
        </section>
      )}
    </div>
  );
}
