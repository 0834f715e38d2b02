import { useSyncExternalStore } from "react";
import { remember } from "./memory";

export type Theme = "system" | "light" | "dark";
const remembered = "aigne-hub.theme"; // read by public/assets/theme.js too
const listeners = new Set<() => void>();

function current(): Theme {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

/** chooseTheme applies a theme and remembers it in this browser. */
export function chooseTheme(theme: Theme) {
  if (theme === "system") {
    remember(remembered, "");
    delete document.documentElement.dataset.theme;
  } else {
    remember(remembered, theme);
    document.documentElement.dataset.theme = theme;
  }
  for (const tell of listeners) tell();
}

export function useTheme(): Theme {
  return useSyncExternalStore((tell) => {
    listeners.add(tell);
    return () => listeners.delete(tell);
  }, current);
}
