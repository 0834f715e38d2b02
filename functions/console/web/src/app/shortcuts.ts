import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { recall, remember } from "../lib/memory";

/** jumps are the letters that lead to a page after "g". */
export const jumps = { h: "/", c: "/calls", k: "/keys", a: "/apps", r: "/credits", m: "/models", p: "/profile" } as const;

const off = "aigne-hub.no-single-keys";
/** singleKeys: keys without Ctrl or the like do something. Whoever dictates or types by accident can switch that off. */
export const singleKeys = () => recall(off) === "";
export const chooseSingleKeys = (on: boolean) => remember(off, on ? "" : "1");

const mac = () => /Mac|iPhone|iPad/.test(navigator.userAgent);

/** keyName is what stands on a key. */
export function keyName(key: "mod"): string {
  return key === "mod" && mac() ? "⌘" : "Ctrl";
}

type Press = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">;
export type Does = { open: "palette" | "sheet" } | { go: (typeof jumps)[keyof typeof jumps] } | "first" | undefined;

/** meaning is what a key does: in a field only Ctrl or ⌘ with K means something. first: "g" was pressed just before. */
export function meaning(e: Press, typing: boolean, first: boolean, single = singleKeys()): Does {
  const mod = e.ctrlKey || e.metaKey;
  if (mod && !e.altKey && e.key.toLowerCase() === "k") return { open: "palette" };
  if (mod || e.altKey || typing || !single) return undefined;
  if (e.key === "?") return { open: "sheet" };
  if (first && e.key in jumps) return { go: jumps[e.key as keyof typeof jumps] };
  return e.key === "g" ? "first" : undefined;
}

const typingIn = (at: EventTarget | null) =>
  at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));

/** useShortcuts listens to the keyboard, and says which of the palette and the sheet of shortcuts is open. */
export function useShortcuts(on: boolean) {
  const [open, setOpen] = useState<"palette" | "sheet">();
  const navigate = useNavigate();
  const first = useRef(0);
  useEffect(() => {
    if (!on) return;
    const early = setTimeout(() => void import("./palette"), 3000); // so that nothing typed after Ctrl K is lost
    function press(e: KeyboardEvent) {
      const busy = document.querySelector('[role="dialog"],[role="alertdialog"]') !== null;
      const does = meaning(e, typingIn(e.target), Date.now() - first.current < 1200);
      first.current = 0;
      if (!does || (busy && (does === "first" || !("open" in does && does.open === "palette")))) return;
      if (does === "first") {
        first.current = Date.now();
        return;
      }
      e.preventDefault();
      if ("open" in does) {
        if (!busy) setOpen(does.open);
      } else void navigate({ to: does.go });
    }
    window.addEventListener("keydown", press);
    return () => {
      clearTimeout(early);
      window.removeEventListener("keydown", press);
    };
  }, [on, navigate]);
  return { open, setOpen };
}
