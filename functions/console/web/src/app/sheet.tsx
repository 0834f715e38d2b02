import { useState } from "react";
import { useI18n } from "../lib/i18n";
import { Modal } from "../ui/dialog";
import { Check } from "../ui/form";
import { navigation } from "./nav";
import { chooseSingleKeys, jumps, keyName, singleKeys } from "./shortcuts";

const Keys = ({ of }: { of: string[] }) => (
  <span className="flex gap-1">
    {of.map((key) => (
      <kbd
        key={key}
        className="min-w-6 rounded border border-line-strong bg-sunken px-1.5 py-0.5 text-center font-sans text-xs text-ink-2"
      >
        {key}
      </kbd>
    ))}
  </span>
);

/** Sheet lists what the keyboard does. */
export function Sheet({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  const [on, setOn] = useState(singleKeys);
  const places = navigation("member").flatMap((g) => g.places);
  const name = (to: string) => places.find((p) => p.to === to)?.label ?? "nav.profile";
  const rows: [string, string[]][] = [
    [t("palette.open"), [keyName("mod"), "K"]],
    ...Object.entries(jumps).map(([key, to]): [string, string[]] => [t(name(to)), ["G", key.toUpperCase()]]),
    [t("sheet.title"), ["?"]],
  ];
  return (
    <Modal open onClose={onClose} title={t("sheet.title")}>
      <dl className="mb-4 flex flex-col">
        {rows.map(([text, keys]) => (
          <div key={text} className="flex items-center justify-between gap-4 border-b border-line py-2 last:border-0">
            <dt>{text}</dt>
            <dd>
              <Keys of={keys} />
            </dd>
          </div>
        ))}
      </dl>
      <Check
        label={t("sheet.single")}
        hint={t("sheet.single.hint")}
        checked={on}
        onChange={(e) => {
          setOn(e.target.checked);
          chooseSingleKeys(e.target.checked);
        }}
      />
    </Modal>
  );
}
