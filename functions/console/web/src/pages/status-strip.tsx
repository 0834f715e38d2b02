import { percent } from "../lib/format";
import { useI18n } from "../lib/i18n";

const good = 0.99;
const fair = 0.9;

interface Props {
  hours: readonly (number | null)[];
  /** until is a moment of the last hour, ISO 8601. */
  until: string;
  name: string;
}

/** UptimeStrip is a bar for each hour: the lower, the fewer calls were answered; a line where there were none. */
export function UptimeStrip({ hours, until, name }: Props) {
  const { t, format } = useI18n();
  const known = hours.filter((h) => h !== null);
  const worst = known.length > 0 ? percent(format, Math.min(...known)) : "–";
  const last = Math.floor(new Date(until).getTime() / 3_600_000) * 3_600_000;
  const hour = (i: number) =>
    new Intl.DateTimeFormat(format.locale, { hour: "numeric", minute: "2-digit", timeZone: format.timeZone }).format(
      last - (hours.length - 1 - i) * 3_600_000,
    );
  return (
    <svg
      role="img"
      aria-label={t("status.strip", { model: name, n: known.length, worst })}
      viewBox={`0 0 ${hours.length * 6} 22`}
      className="h-5.5 w-36"
    >
      {hours.map((h, i) => {
        const size = h === null ? 2 : Math.max(4, h * 20);
        const fill = h === null ? "fill-line-strong" : h >= good ? "fill-ok" : h >= fair ? "fill-warn" : "fill-danger";
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: hours have their place only
          <rect key={i} x={i * 6} y={21 - size} width="4" height={size} rx="1" className={fill}>
            <title>{`${hour(i)} · ${h === null ? t("models.idle") : percent(format, h)}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}
