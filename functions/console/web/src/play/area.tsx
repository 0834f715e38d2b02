import type { ReactNode } from "react";
import { Field } from "../ui/form";

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  rows: number;
  hint?: ReactNode;
  error?: string;
  placeholder?: string;
  /** mono: it is code. */
  mono?: boolean;
}

/** Area is a labelled field of several lines. */
export function Area({ label, value, onChange, rows, hint, error, placeholder, mono }: Props) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(own) => (
        <textarea
          {...own}
          rows={rows}
          value={value}
          placeholder={placeholder}
          spellCheck={mono ? false : undefined}
          onChange={(e) => onChange(e.target.value)}
          className={`input block ${mono ? "font-mono text-[13px]" : ""}`}
        />
      )}
    </Field>
  );
}
