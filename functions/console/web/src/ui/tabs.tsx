import { Tabs as Base } from "@base-ui/react/tabs";
import { type ReactNode, useEffect, useRef } from "react";

interface Props<T extends string> {
  label: string;
  value: T;
  onChange: (value: T) => void;
  tabs: readonly (readonly [T, string])[];
  children: ReactNode;
}

/** Tabs show one of several views; on narrow screens their names scroll. */
export function Tabs<T extends string>({ label, value, onChange, tabs, children }: Props<T>) {
  const list = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever another tab is active
  useEffect(() => {
    const [row, tab] = [list.current, list.current?.querySelector<HTMLElement>("[data-active]")];
    if (row && tab) row.scrollLeft = Math.max(0, tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.clientWidth) / 2);
  }, [value]);
  return (
    <Base.Root value={value} onValueChange={(next) => onChange(next as T)}>
      <Base.List ref={list} aria-label={label} className="mb-4 flex gap-1 overflow-x-auto border-b border-line">
        {tabs.map(([key, text]) => (
          <Base.Tab
            key={key}
            value={key}
            className="-mb-px min-h-9 border-b-2 border-transparent px-3 whitespace-nowrap text-ink-2 outline-offset-[-2px] hover:text-ink data-[active]:border-accent data-[active]:font-medium data-[active]:text-accent"
          >
            {text}
          </Base.Tab>
        ))}
      </Base.List>
      <Base.Panel value={value} className="outline-none">
        {children}
      </Base.Panel>
    </Base.Root>
  );
}
