import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { ApiError } from "../api/client";
import { Failed } from "../ui/states";
import { Missing } from "./missing";
import { client, isAdmin, meQuery, waysQuery } from "./session";
import { Shell } from "./shell";

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined;
const flag = (value: unknown): true | undefined => (value === true || value === "true" ? true : undefined);
const page = (value: unknown): number | undefined =>
  Number.isInteger(value) && (value as number) > 1 ? (value as number) : undefined;

type Given = Record<string, unknown>;
/** optional lets links leave parts of the search out. */
const optional =
  <T extends object>(read: (given: Given) => T) =>
  (given: Given): { [K in keyof T]?: T[K] } =>
    read(given);

const root = createRootRouteWithContext()({ component: Outlet, notFoundComponent: Missing });

/** gate lets those in who signed in; a hub without an owner is set up first. */
async function gate(href: string) {
  try {
    return await client.ensureQueryData(meQuery);
  } catch (fault) {
    if (!(fault instanceof ApiError) || fault.status !== 401) throw fault;
    const ways = await client.fetchQuery(waysQuery);
    if (!ways.set_up) throw redirect({ to: "/setup" });
    throw redirect({ to: "/sign-in", search: href === "/" ? {} : { to: href } });
  }
}

const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  component: Shell,
  errorComponent: ({ error, reset }) => <Failed fault={error} retry={reset} />,
  beforeLoad: async ({ location }) => {
    const me = await gate(location.href);
    if (me.user.role === "guest" && location.pathname !== "/profile") throw redirect({ to: "/profile" });
  },
});

const admin = createRoute({
  getParentRoute: () => inside,
  id: "admin",
  component: Outlet,
  beforeLoad: async () => {
    const me = await client.ensureQueryData(meQuery);
    if (!isAdmin(me.user.role)) throw redirect({ to: "/" });
  },
});

const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  component: lazyRouteComponent(() => import("../pages/setup"), "Setup"),
});
const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: optional((s) => ({ to: text(s.to) })),
  component: lazyRouteComponent(() => import("../pages/sign-in"), "SignIn"),
});
const home = createRoute({
  getParentRoute: () => inside,
  path: "/",
  component: lazyRouteComponent(() => import("../pages/home"), "Home"),
});
const keys = createRoute({
  getParentRoute: () => inside,
  path: "/keys",
  validateSearch: optional((s) => ({ cursor: text(s.cursor), key: text(s.key) })),
  component: lazyRouteComponent(() => import("../pages/keys"), "Keys"),
});
const calls = createRoute({
  getParentRoute: () => inside,
  path: "/calls",
  validateSearch: optional((s) => ({
    before: text(s.before),
    call: text(s.call),
    everyone: flag(s.everyone),
    live: flag(s.live),
    from: text(s.from),
    until: text(s.until),
  })),
  component: lazyRouteComponent(() => import("../pages/calls"), "Calls"),
});
const credits = createRoute({
  getParentRoute: () => inside,
  path: "/credits",
  validateSearch: optional((s) => ({ cursor: text(s.cursor), tab: text(s.tab), page: page(s.page) })),
  component: lazyRouteComponent(() => import("../pages/credits"), "Credits"),
});
const models = createRoute({
  getParentRoute: () => inside,
  path: "/models",
  validateSearch: optional((s) => ({ q: text(s.q), type: text(s.type), provider: text(s.provider), page: page(s.page) })),
  component: lazyRouteComponent(() => import("../pages/models"), "Models"),
});
const playground = createRoute({
  getParentRoute: () => inside,
  path: "/playground",
  validateSearch: optional((s) => ({ tab: text(s.tab), model: text(s.model), talk: text(s.talk) })),
  component: lazyRouteComponent(() => import("../pages/playground"), "Playground"),
});
const profile = createRoute({
  getParentRoute: () => inside,
  path: "/profile",
  component: lazyRouteComponent(() => import("../pages/profile"), "Profile"),
});
const start = createRoute({
  getParentRoute: () => admin,
  path: "/start",
  component: lazyRouteComponent(() => import("../pages/start"), "Start"),
});
const providers = createRoute({
  getParentRoute: () => admin,
  path: "/admin/providers",
  validateSearch: optional((s) => ({ name: text(s.name) })),
  component: lazyRouteComponent(() => import("../pages/providers"), "Providers"),
});
const rates = createRoute({
  getParentRoute: () => admin,
  path: "/admin/rates",
  validateSearch: optional((s) => ({
    provider: text(s.provider),
    model: text(s.model),
    deprecated: flag(s.deprecated),
    page: page(s.page),
    tab: text(s.tab),
  })),
  component: lazyRouteComponent(() => import("../pages/rates"), "Rates"),
});
const users = createRoute({
  getParentRoute: () => admin,
  path: "/admin/users",
  validateSearch: optional((s) => ({ tab: text(s.tab), cursor: text(s.cursor), user: text(s.user) })),
  component: lazyRouteComponent(() => import("../pages/users"), "Users"),
});
const audit = createRoute({
  getParentRoute: () => admin,
  path: "/admin/audit",
  validateSearch: optional((s) => ({
    actor: text(s.actor),
    action: text(s.action),
    subject: text(s.subject),
    from: text(s.from),
    until: text(s.until),
    cursor: text(s.cursor),
    act: text(s.act),
  })),
  component: lazyRouteComponent(() => import("../pages/audit"), "Audit"),
});

const tree = root.addChildren([
  setup,
  signIn,
  inside.addChildren([
    home,
    keys,
    calls,
    credits,
    models,
    playground,
    profile,
    admin.addChildren([start, providers, rates, users, audit]),
  ]),
]);

/** prefix is the path that the hub is mounted below, from the page's base. */
export const prefix = new URL(document.baseURI).pathname;

export const router = createRouter({
  routeTree: tree,
  basepath: prefix,
  defaultPreload: "intent",
  defaultPreloadStaleTime: 0,
  scrollRestoration: true,
  defaultErrorComponent: ({ error, reset }) => <Failed fault={error} retry={reset} />,
  defaultNotFoundComponent: Missing,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
