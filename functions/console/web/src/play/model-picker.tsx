import { Combobox } from "@base-ui/react/combobox";
import { Check, ChevronDown } from "lucide-react";
import { useT } from "../lib/i18n";
import { Badge } from "../ui/states";
import type { Model } from "./models";

interface Props {
  models: readonly Model[];
  value: string;
  onChange: (model: string) => void;
  /** label names the field for those who do not see where it stands. */
  label: string;
}

/** ModelPicker finds a model among many by a part of its name. */
export function ModelPicker({ models, value, onChange, label }: Props) {
  const t = useT();
  const names = models.map((m) => m.name);
  const known = new Map(models.map((m) => [m.name, m]));
  return (
    <Combobox.Root items={names} value={value || null} onValueChange={(next) => next && onChange(next)}>
      <Combobox.Trigger
        aria-label={`${label}: ${value || t("play.model.choose")}`}
        className="input flex min-w-0 items-center justify-between gap-2 text-left font-medium"
      >
        <span className={`min-w-0 truncate ${value ? "" : "text-ink-3"}`}>{value || t("play.model.choose")}</span>
        {known.get(value)?.down && <Badge kind="danger">{t("models.down")}</Badge>}
        <ChevronDown aria-hidden className="ml-auto size-4 shrink-0 text-ink-3" />
      </Combobox.Trigger>
      <Combobox.Portal>
        <Combobox.Positioner sideOffset={4} align="start" className="z-50 outline-none">
          <Combobox.Popup
            aria-label={label}
            className="pop fade w-[max(var(--anchor-width),20rem)] max-w-[calc(100vw-1rem)] p-1 outline-none"
          >
            <Combobox.Input placeholder={t("models.search")} aria-label={t("models.search")} className="input mb-1" />
            <Combobox.Empty>
              <p className="px-2.5 py-3 text-ink-3 empty:hidden">{t("filter.nothing")}</p>
            </Combobox.Empty>
            <Combobox.List className="max-h-[min(22rem,var(--available-height))] overflow-y-auto overscroll-contain outline-none">
              {(name: string) => (
                <Combobox.Item
                  key={name}
                  value={name}
                  className="flex min-h-9 cursor-default items-center gap-2 rounded-md px-2.5 outline-none select-none data-[highlighted]:bg-sunken"
                >
                  <span className="min-w-0 flex-1 break-all">{name}</span>
                  {known.get(name)?.down && <Badge kind="danger">{t("models.down")}</Badge>}
                  <Combobox.ItemIndicator>
                    <Check aria-hidden className="size-4 text-accent" />
                  </Combobox.ItemIndicator>
                </Combobox.Item>
              )}
            </Combobox.List>
          </Combobox.Popup>
        </Combobox.Positioner>
      </Combobox.Portal>
    </Combobox.Root>
  );
}
