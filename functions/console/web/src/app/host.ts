import { queryOptions, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { at } from "../api/client";
import { appTheme, followHost, onHost } from "../lib/theme";

interface App {
  name: string;
  theme: string;
}

/** about reads what the page of a Blocklet Server's app says about itself. */
export function about(said: unknown): App {
  const s = (typeof said === "object" && said ? said : {}) as { appName?: unknown; theme?: { prefer?: unknown } };
  const prefer = s.theme?.prefer;
  return {
    name: typeof s.appName === "string" ? s.appName : "",
    theme: prefer === "light" || prefer === "dark" || prefer === "system" ? prefer : "",
  };
}

/** hostQuery asks the server that the hub runs on, at the address that it serves below each mount. */
const hostQuery = queryOptions({
  queryKey: ["host"],
  queryFn: async ({ signal }) => {
    const answer = await fetch(at("/__blocklet__.js?type=json"), { signal, headers: { Accept: "application/json" } });
    return about(answer.ok ? await answer.json() : undefined);
  },
  staleTime: 300_000,
  retry: false,
});

/** useHost is the app that the hub is a part of, on a Blocklet Server; its theme is taken over. */
export function useHost(): App | undefined {
  const on = onHost();
  const { data } = useQuery({ ...hostQuery, enabled: on });
  useEffect(() => (on ? followHost() : undefined), [on]);
  useEffect(() => {
    if (data) appTheme(data.theme);
  }, [data]);
  return on ? data : undefined;
}

/** Where the server's own pages are, at the origin's root whatever the hub is mounted below. */
export const userCentre = "/.well-known/service/user";

const cookie = (name: string) => new RegExp(`(?:^|; )${name}=([^;]*)`).exec(document.cookie)?.[1];

/** leaveHost signs out of the whole app at the server. */
export async function leaveHost(path: string) {
  const token = cookie("x-csrf-token");
  await fetch(new URL(path, location.origin), {
    method: "POST",
    credentials: "same-origin",
    headers: token ? { "x-csrf-token": decodeURIComponent(token) } : {},
  }).catch(() => undefined); // the hub's own part is ended already
}

/** enterHost is where the server signs people in and then sends them to a path of the origin. */
export function enterHost(page: string, to: string): string {
  const url = new URL(page, location.origin);
  url.searchParams.set("redirect", to);
  return url.toString();
}

const mark = "aigne-hub.sent-to-sign-in";

/** sendOnce says whether to send a browser to the server's sign-in by itself: not when it just came back from there without being
 * let in, which would go on for ever. */
export function sendOnce(now = Date.now()): boolean {
  try {
    const last = Number(sessionStorage.getItem(mark));
    sessionStorage.setItem(mark, String(now));
    return now - last > 60_000;
  } catch {
    return false;
  }
}

/** entered forgets that a browser was sent away: it was let in. */
export function entered() {
  try {
    sessionStorage.removeItem(mark);
  } catch {
    // a window in private
  }
}
