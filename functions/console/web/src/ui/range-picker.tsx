import { useI18n } from "../lib/i18n";
import { type Chosen, type Preset, presetOf, presets } from "../lib/range";
import { dayOf, plusDays, zoneOf } from "../lib/zone";

interface Props {
  value: Chosen;
  /** usual is what an address without a range means. */
  usual: Preset | "all";
  onChange: (change: Chosen) => void;
}

/** RangePicker chooses a range of time: one with a name, or days from and until. */
export function RangePicker({ value, usual, onChange }: Props) {
  const { t, format } = useI18n();
  const zone = zoneOf(format);
  const now = presetOf(value, usual);
  function choose(next: string) {
    if (next !== "custom") return onChange({ range: next === usual ? undefined : next, from: undefined, until: undefined });
    const today = dayOf(zone, Date.now());
    onChange({ range: "custom", from: plusDays(today, -6), until: today });
  }
  return (
    <>
      <select
        aria-label={t("range.label")}
        title={t("range.zone", { zone })}
        className="input sm:w-auto"
        value={now}
        onChange={(e) => choose(e.target.value)}
      >
        {usual === "all" && <option value="all">{t("range.all")}</option>}
        {presets.map((p) => (
          <option key={p} value={p}>
            {t(`range.${p}`)}
          </option>
        ))}
        <option value="custom">{t("range.custom")}</option>
      </select>
      {now === "custom" && (
        <>
          <input
            type="date"
            aria-label={t("filter.from")}
            className="input sm:w-auto"
            value={value.from ?? ""}
            max={value.until}
            onChange={(e) => onChange({ range: "custom", from: e.target.value || undefined })}
          />
          <input
            type="date"
            aria-label={t("filter.until")}
            className="input sm:w-auto"
            value={value.until ?? ""}
            min={value.from}
            onChange={(e) => onChange({ range: "custom", until: e.target.value || undefined })}
          />
        </>
      )}
    </>
  );
}
