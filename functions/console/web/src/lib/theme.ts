import { useSyncExternalStore } from "react";
import { recall, remember } from "./memory";

export type Theme = "system" | "light" | "dark";
const remembered = "aigne-hub.theme"; // read by public/assets/theme.js too, like the next
const rememberedApp = "aigne-hub.host-theme";
/** Where the pages of a Blocklet Server's app keep what somebody chose (BLOCKLET_THEME_PREFER_KEY of npm @blocklet/theme). */
const hostKey = "blocklet_theme_prefer";
const listeners = new Set<() => void>();

const known = (theme: string | null | undefined): "light" | "dark" | "" => (theme === "light" || theme === "dark" ? theme : "");

/** onHost: the page is served below a Blocklet Server. */
export const onHost = () => document.documentElement.dataset.host === "blocklet";

function session(name: string): string {
  try {
    return sessionStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

/** hostTheme is how the pages of the app look: what somebody chose for this window, what the app prescribes, or, where the app
 * leaves it to people, what they chose. "" is the system's. */
export function hostTheme(): "light" | "dark" | "" {
  if (!onHost()) return "";
  const app = recall(rememberedApp);
  return known(session(hostKey)) || known(app) || (app === "system" ? known(recall(hostKey)) : "");
}

const choice = (): Theme => known(recall(remembered)) || "system";

function apply() {
  const theme = known(recall(remembered)) || hostTheme();
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  for (const tell of listeners) tell();
}

/** chooseTheme applies a theme and remembers it in this browser; "system" is the system's or, below a Blocklet Server, the app's. */
export function chooseTheme(theme: Theme) {
  remember(remembered, theme === "system" ? "" : theme);
  apply();
}

/** appTheme takes in what the app prescribes: light, dark or system. */
export function appTheme(prefer: string) {
  remember(rememberedApp, prefer);
  apply();
}

/** followHost looks on while people choose another theme in other windows of the app. */
export function followHost(): () => void {
  const changed = (e: StorageEvent) => (e.key === hostKey || e.key === remembered) && apply();
  window.addEventListener("storage", changed);
  return () => window.removeEventListener("storage", changed);
}

export function useTheme(): Theme {
  return useSyncExternalStore((tell) => {
    listeners.add(tell);
    return () => listeners.delete(tell);
  }, choice);
}
