import { CircleAlert, CircleCheck, X } from "lucide-react";
import { createContext, type ReactNode, use, useCallback, useState } from "react";
import { useT } from "../lib/i18n";

interface Said {
  id: number;
  text: string;
  bad: boolean;
}

const Context = createContext<(text: string, bad?: boolean) => void>(() => {});
/** useToast tells what happened, for some seconds and to screen readers. */
export const useToast = () => use(Context);

const shownFor = 5000; // ms; what went wrong stays until it is closed
let last = 0;

export function ToastProvider({ children }: { children: ReactNode }) {
  const t = useT();
  const [said, setSaid] = useState<Said[]>([]);
  const drop = useCallback((id: number) => setSaid((all) => all.filter((s) => s.id !== id)), []);
  const say = useCallback(
    (text: string, bad = false) => {
      const id = ++last;
      setSaid((all) => [...all.slice(-3), { id, text, bad }]);
      if (!bad) setTimeout(() => drop(id), shownFor);
    },
    [drop],
  );
  return (
    <Context value={say}>
      {children}
      <div
        aria-live="polite"
        className="fixed right-4 bottom-20 left-4 z-[60] flex flex-col items-end gap-2 pointer-events-none lg:bottom-4"
      >
        {said.map((s) => (
          <div key={s.id} className="pop pointer-events-auto flex max-w-sm items-start gap-2.5 px-3.5 py-2.5">
            {s.bad ? (
              <CircleAlert aria-hidden className="mt-0.5 size-4.5 shrink-0 text-danger" />
            ) : (
              <CircleCheck aria-hidden className="mt-0.5 size-4.5 shrink-0 text-ok" />
            )}
            <span className="min-w-0">{s.text}</span>
            <button
              type="button"
              aria-label={t("action.close")}
              onClick={() => drop(s.id)}
              className="-mr-1 rounded p-1 text-ink-3 hover:text-ink"
            >
              <X aria-hidden className="size-4" />
            </button>
          </div>
        ))}
      </div>
    </Context>
  );
}
