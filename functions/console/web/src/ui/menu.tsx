import { Menu as Base } from "@base-ui/react/menu";
import { Check, Ellipsis } from "lucide-react";
import type { ReactElement, ReactNode } from "react";

const popup = "pop fade min-w-48 max-w-[calc(100vw-1rem)] p-1 outline-none";
const item =
  "flex min-h-9 cursor-default items-center gap-2.5 rounded-md px-2.5 outline-none select-none data-[highlighted]:bg-sunken";

/** Menu opens below its trigger. */
export function Menu({ trigger, children }: { trigger: ReactElement; children: ReactNode }) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={6} align="end" className="z-50">
          <Base.Popup className={popup}>{children}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

/** RowMenu is what can be done with a row. */
export function RowMenu({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Menu
      trigger={
        <button
          type="button"
          aria-label={label}
          className="inline-flex size-8 items-center justify-center rounded-md text-ink-3 hover:bg-sunken hover:text-ink data-[popup-open]:bg-sunken"
        >
          <Ellipsis aria-hidden className="size-4.5" />
        </button>
      }
    >
      {children}
    </Menu>
  );
}

export function MenuItem({
  icon,
  danger,
  children,
  onClick,
}: {
  icon?: ReactNode;
  danger?: boolean;
  children: ReactNode;
  onClick: () => void;
}) {
  return (
    <Base.Item onClick={onClick} className={`${item} ${danger ? "text-danger" : ""}`}>
      {icon}
      {children}
    </Base.Item>
  );
}

export function MenuLine() {
  return <Base.Separator className="my-1 h-px bg-line" />;
}

interface Choice<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}

/** MenuChoice is one of several in a menu. */
export function MenuChoice<T extends string>({ label, value, options, onChange }: Choice<T>) {
  return (
    <Base.RadioGroup value={value} onValueChange={(next) => onChange(next as T)} aria-label={label}>
      <div className="px-2.5 pt-1.5 pb-1 text-xs font-medium text-ink-3">{label}</div>
      {options.map(([key, text]) => (
        <Base.RadioItem key={key} value={key} closeOnClick className={item}>
          <span className="flex-1">{text}</span>
          <Base.RadioItemIndicator>
            <Check aria-hidden className="size-4 text-accent" />
          </Base.RadioItemIndicator>
        </Base.RadioItem>
      ))}
    </Base.RadioGroup>
  );
}
