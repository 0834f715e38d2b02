import type { ButtonHTMLAttributes, ReactNode } from "react";

type Look = "primary" | "plain" | "quiet" | "danger";

const looks: Record<Look, string> = {
  primary: "bg-accent-fill text-white border-transparent hover:bg-accent-hover",
  plain: "bg-surface text-ink border-line-strong hover:bg-sunken",
  quiet: "bg-transparent text-ink-2 border-transparent hover:bg-sunken hover:text-ink",
  danger: "bg-danger-fill text-white border-transparent hover:opacity-90",
};

/** buttonClass is the look of a button, for links that are one. */
export function buttonClass(look: Look = "plain", small = false): string {
  const size = small ? "min-h-8 px-2.5 text-sm" : "min-h-9 px-3.5";
  return `inline-flex items-center justify-center gap-1.5 rounded-lg border font-medium whitespace-nowrap select-none disabled:opacity-55 disabled:pointer-events-none ${size} ${looks[look]}`;
}

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  small?: boolean;
  busy?: boolean;
  icon?: ReactNode;
}

/** Button is a button; while busy it cannot be pressed again. */
export function Button({ look, small, busy, icon, children, disabled, className = "", type = "button", ...rest }: Props) {
  return (
    <button
      type={type}
      {...rest}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={`${buttonClass(look, small)} ${className}`}
    >
      {busy ? <Spinner /> : icon}
      {children}
    </button>
  );
}

/** IconButton shows a picture only, and has its name for those who cannot see it. */
export function IconButton({
  label,
  children,
  className = "",
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={`inline-flex size-9 shrink-0 items-center justify-center rounded-lg text-ink-2 hover:bg-sunken hover:text-ink disabled:opacity-55 ${className}`}
    >
      {children}
    </button>
  );
}

export function Spinner() {
  return <span aria-hidden className="size-4 animate-spin rounded-full border-2 border-current border-r-transparent" />;
}
