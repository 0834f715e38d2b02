import { Search as Glass } from "lucide-react";
import type { ReactNode } from "react";

/** Filters stand above a list; what they say is in the address. */
export function Filters({ children }: { children: ReactNode }) {
  return <div className="mb-3 flex flex-wrap items-center gap-2">{children}</div>;
}

/** Search looks for a text once it is entered. */
export function Search({
  label,
  value,
  onSearch,
}: {
  label: string;
  value: string | undefined;
  onSearch: (text: string | undefined) => void;
}) {
  return (
    <form
      key={value}
      className="relative min-w-48 flex-1 basis-full sm:max-w-sm sm:basis-48"
      onSubmit={(e) => {
        e.preventDefault();
        onSearch(String(new FormData(e.currentTarget).get("q") ?? "").trim() || undefined);
      }}
    >
      <Glass aria-hidden className="absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-3" />
      <input
        name="q"
        type="search"
        aria-label={label}
        placeholder={label}
        defaultValue={value}
        onChange={(e) => e.target.value === "" && value && onSearch(undefined)}
        className="input !pl-9"
      />
    </form>
  );
}

/** Pick narrows a list to one of several words; "" is all. */
export function Pick({
  label,
  value,
  onPick,
  options,
}: {
  label: string;
  value: string | undefined;
  onPick: (value: string | undefined) => void;
  options: readonly (readonly [string, string])[];
}) {
  return (
    <select
      aria-label={label}
      value={value ?? ""}
      onChange={(e) => onPick(e.target.value || undefined)}
      className="input w-auto max-w-full"
    >
      {options.map(([key, text]) => (
        <option key={key} value={key}>
          {text}
        </option>
      ))}
    </select>
  );
}
