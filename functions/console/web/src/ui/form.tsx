import { type FormEvent, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, useId, useState } from "react";
import { ApiError } from "../api/client";
import { useT } from "../lib/i18n";
import { Button } from "./button";
import { Note, useFault } from "./states";

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string;
  children: (props: { id: string; "aria-describedby"?: string; "aria-invalid"?: boolean }) => ReactNode;
}

/** Field is a labelled control with a hint and what is wrong with it. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const notes = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 block text-sm font-medium text-ink">
        {label}
      </label>
      {children({ id, "aria-describedby": notes || undefined, "aria-invalid": error ? true : undefined })}
      {hint && (
        <p id={`${id}-hint`} className="mt-1 text-sm text-ink-3">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="mt-1 text-sm text-danger">
          {error}
        </p>
      )}
    </div>
  );
}

type Base = { label: string; hint?: ReactNode; error?: string };

export function TextField({ label, hint, error, className = "", ...rest }: Base & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(own) => <input {...own} {...rest} className={`input ${className}`} />}
    </Field>
  );
}

export function SelectField({ label, hint, error, children, ...rest }: Base & SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(own) => (
        <select {...own} {...rest} className="input">
          {children}
        </select>
      )}
    </Field>
  );
}

export function Check({ label, hint, ...rest }: { label: ReactNode; hint?: ReactNode } & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <label className="flex items-start gap-2.5">
      <input type="checkbox" {...rest} className="mt-1 size-4 shrink-0 accent-accent-fill" />
      <span className="min-w-0">
        {label}
        {hint && <span className="block text-sm text-ink-3">{hint}</span>}
      </span>
    </label>
  );
}

/** Values are a form's fields by name; unchecked boxes and empty fields are "". */
export type Values = (name: string) => string;

interface FormProps {
  /** save does what the form is for. What it throws is shown, and what was typed stays. */
  save: (values: Values, form: HTMLFormElement) => Promise<unknown>;
  submit: ReactNode;
  onCancel?: () => void;
  danger?: boolean;
  wide?: boolean;
  /** children get the fault of a field by the field's name. */
  children: (faultOf: (param: string) => string | undefined) => ReactNode;
}

/** Form keeps what was typed until it is saved, and shows a fault at the field that it is about. */
export function Form({ save, submit, onCancel, danger, wide, children }: FormProps) {
  const t = useT();
  const say = useFault();
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const [shown, setShown] = useState(new Set<string>());
  const param = fault instanceof ApiError ? fault.param.replace(/\[.*$/, "") : "";
  const faultOf = (name: string) => (param === name ? say(fault) : undefined);

  async function onSubmit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    setShown(new Set(Array.from(form.elements, (e) => (e as HTMLInputElement).name).filter(Boolean)));
    setBusy(true);
    setFault(undefined);
    try {
      await save((name) => String(data.get(name) ?? "").trim(), form);
    } catch (thrown) {
      setFault(thrown);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form onSubmit={onSubmit} className="flex flex-col gap-4">
      {children(faultOf)}
      {fault !== undefined && !(param && shown.has(param)) && <Note kind="danger">{say(fault)}</Note>}
      <div className={`flex flex-wrap gap-2 ${wide ? "flex-col" : "justify-end"}`}>
        {onCancel && (
          <Button onClick={onCancel} look="quiet">
            {t("action.cancel")}
          </Button>
        )}
        <Button type="submit" look={danger ? "danger" : "primary"} busy={busy} className={wide ? "w-full" : ""}>
          {submit}
        </Button>
      </div>
    </form>
  );
}

/** NewPassword asks for a password that is chosen now. */
export function NewPassword({ label, hint, error }: { label: string; hint: string; error: string | undefined }) {
  return (
    <TextField
      name="password"
      type="password"
      label={label}
      hint={hint}
      error={error}
      autoComplete="new-password"
      minLength={10}
      required
    />
  );
}
