import { count, credits } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Amount, Facts } from "../ui/page";
import type { Detail } from "./call-drawer";

/** useBucketName gives what a kind of unit is called. */
export function useBucketName() {
  const { known } = useI18n();
  return (bucket: string) => {
    const [unit = "", ...variant] = bucket.split(":"); // output:priority, images:hd:1024x1024
    return [known(`bucket.${unit}`, unit.replaceAll("_", " ")), ...variant].join(" · ");
  };
}

/** Price is how the call came to what it was charged, line by line. */
export function Price({ call }: { call: Detail }) {
  const { t, format } = useI18n();
  const bucketName = useBucketName();
  const e = call.explanation;
  if (!e) return null;
  return (
    <div>
      {e.lines.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section aria-label={t("call.price")} tabIndex={0} className="overflow-x-auto rounded-lg border border-line">
          <table className="w-full">
            <thead>
              <tr className="border-b border-line text-sm text-ink-3">
                <th scope="col" className="px-2 py-1.5 sm:px-3 text-left font-medium">
                  {t("call.unit")}
                </th>
                <th scope="col" className="num px-2 py-1.5 sm:px-3 font-medium">
                  {t("call.units")}
                </th>
                <th scope="col" className="num px-2 py-1.5 sm:px-3 font-medium">
                  {t("call.rate")}
                </th>
                <th scope="col" className="num px-2 py-1.5 sm:px-3 font-medium">
                  {t("call.amount")}
                </th>
              </tr>
            </thead>
            <tbody>
              {e.lines.map((l) => (
                <tr key={`${l.bucket} ${l.variant ?? ""} ${l.tier_above ?? ""}`} className="border-b border-line last:border-0">
                  <td className="px-2 py-1.5 sm:px-3">
                    {bucketName(l.bucket)}
                    {l.variant && <span className="text-ink-3"> · {l.variant}</span>}
                  </td>
                  <td className="num px-2 py-1.5 sm:px-3">{count(format, l.units)}</td>
                  <td className="num px-2 py-1.5 sm:px-3 text-ink-3">{credits(format, l.rate, true)}</td>
                  <td className="num px-2 py-1.5 sm:px-3">{credits(format, l.amount, true)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      <div className="mt-3">
        <Facts
          items={[
            e.sum !== e.charged && [t("call.sum"), <Amount key="s" of={e.sum} />],
            [t("call.charged"), <strong key="c">{credits(format, e.charged, true)}</strong>],
            e.hold !== null && [t("call.hold"), <Amount key="h" of={e.hold.amount} />],
            e.rate !== null && [t("call.rateof"), t("call.version", { target: e.rate.target, version: e.rate.version })],
          ]}
        />
      </div>
      {e.reasons.length > 0 && (
        <ul className="mt-3 list-disc pl-5 text-ink-2">
          {e.reasons.map((r) => (
            <li key={r.code}>{r.text}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
