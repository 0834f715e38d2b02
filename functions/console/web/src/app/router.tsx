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
import { entered } from "./host";
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
    const me = await client.ensureQueryData(meQuery);
    entered();
    return me;
  } catch (fault) {
    if (!(fault instanceof ApiError) || fault.status !== 401) throw fault;
    const ways = await client.fetchQuery(waysQuery);
    if (!ways.set_up && !ways.blocklet?.only) throw redirect({ to: "/setup" }); // a server's owner becomes the hub's
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
  validateSearch: optional((s) => ({ to: text(s.to), out: flag(s.out) })),
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
  validateSearch: optional((s) => ({ cursor: text(s.cursor), key: text(s.key), make: text(s.make) })),
  component: lazyRouteComponent(() => import("../pages/keys"), "Keys"),
});
const apps = createRoute({
  getParentRoute: () => inside,
  path: "/apps",
  validateSearch: optional((s) => ({ cursor: text(s.cursor), app: text(s.app) })),
  component: lazyRouteComponent(() => import("../pages/apps"), "Apps"),
});
const callsSearch = optional((s) => ({
  before: text(s.before),
  call: text(s.call),
  everyone: flag(s.everyone),
  live: flag(s.live),
  range: text(s.range),
  from: text(s.from),
  until: text(s.until),
  q: text(s.q),
  status: text(s.status),
  type: text(s.type),
  provider: text(s.provider),
  model: text(s.model),
  app: text(s.app),
  key: text(s.key),
  user: text(s.user),
  category: text(s.category),
  slow: text(s.slow),
  credits: text(s.credits),
}));
/** CallSearch is what the address of the call log holds. */
export type CallSearch = ReturnType<typeof callsSearch>;
const calls = createRoute({
  getParentRoute: () => inside,
  path: "/calls",
  validateSearch: callsSearch,
  component: lazyRouteComponent(() => import("../pages/calls"), "Calls"),
});
const usage = createRoute({
  getParentRoute: () => inside,
  path: "/usage",
  validateSearch: optional((s) => ({
    range: text(s.range),
    from: text(s.from),
    until: text(s.until),
    step: text(s.step),
    by: text(s.by),
    measure: text(s.measure),
    everyone: flag(s.everyone),
    page: page(s.page),
    model: text(s.model),
    provider: text(s.provider),
    app: text(s.app),
    key: text(s.key),
    type: text(s.type),
    user: text(s.user),
    category: text(s.category),
  })),
  component: lazyRouteComponent(() => import("../pages/usage"), "Usage"),
});
const status = createRoute({
  getParentRoute: () => inside,
  path: "/status",
  validateSearch: optional((s) => ({ q: text(s.q), only: text(s.only) })),
  component: lazyRouteComponent(() => import("../pages/status"), "Status"),
});
const credits = createRoute({
  getParentRoute: () => inside,
  path: "/credits",
  validateSearch: optional((s) => ({
    cursor: text(s.cursor),
    tab: text(s.tab),
    page: page(s.page),
    kind: text(s.kind),
    from: text(s.from),
    until: text(s.until),
    wallet: text(s.wallet),
    state: text(s.state),
  })),
  component: lazyRouteComponent(() => import("../pages/credits"), "Credits"),
});
const models = createRoute({
  getParentRoute: () => inside,
  path: "/models",
  validateSearch: optional((s) => ({
    q: text(s.q),
    type: text(s.type),
    provider: text(s.provider),
    can: text(s.can),
    context: text(s.context),
    sort: text(s.sort),
    down: flag(s.down),
    page: page(s.page),
    compare: text(s.compare),
    view: text(s.view),
    model: text(s.model),
  })),
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
const overview = createRoute({
  getParentRoute: () => admin,
  path: "/admin",
  validateSearch: optional((s) => ({ days: s.days === 7 || s.days === 30 ? s.days : undefined })),
  component: lazyRouteComponent(() => import("../pages/overview"), "AdminOverview"),
});
const routing = createRoute({
  getParentRoute: () => admin,
  path: "/admin/routing",
  validateSearch: optional((s) => ({
    tab: text(s.tab),
    name: text(s.name),
    edit: text(s.edit),
    model: text(s.model),
    user: text(s.user),
    key: text(s.key),
    type: text(s.type),
    needs: text(s.needs),
    tokens: Number.isInteger(s.tokens) && (s.tokens as number) > 0 ? (s.tokens as number) : undefined,
    tags: text(s.tags),
    region: text(s.region),
    route: text(s.route),
  })),
  component: lazyRouteComponent(() => import("../pages/routing"), "Routing"),
});
const limits = createRoute({
  getParentRoute: () => admin,
  path: "/admin/limits",
  validateSearch: optional((s) => ({ scope: text(s.scope), metric: text(s.metric), cursor: text(s.cursor) })),
  component: lazyRouteComponent(() => import("../pages/limits"), "Limits"),
});
const system = createRoute({
  getParentRoute: () => admin,
  path: "/admin/system",
  validateSearch: optional((s) => ({ tab: text(s.tab) })),
  component: lazyRouteComponent(() => import("../pages/system"), "SystemPage"),
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
  validateSearch: optional((s) => ({
    tab: text(s.tab),
    cursor: text(s.cursor),
    user: text(s.user),
    q: text(s.q),
    role: text(s.role),
    state: text(s.state),
  })),
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

const adminApps = createRoute({
  getParentRoute: () => admin,
  path: "/admin/apps",
  validateSearch: optional((s) => ({ cursor: text(s.cursor), app: text(s.app) })),
  component: lazyRouteComponent(() => import("../pages/admin-apps"), "AdminApps"),
});
const clients = createRoute({
  getParentRoute: () => admin,
  path: "/admin/clients",
  validateSearch: optional((s) => ({ tab: text(s.tab), cursor: text(s.cursor), user: text(s.user) })),
  component: lazyRouteComponent(() => import("../pages/clients"), "Clients"),
});
const wallets = createRoute({
  getParentRoute: () => admin,
  path: "/admin/credits",
  validateSearch: optional((s) => ({
    q: text(s.q),
    kind: text(s.kind),
    cursor: text(s.cursor),
    wallet: text(s.wallet),
  })),
  component: lazyRouteComponent(() => import("../pages/wallets"), "Wallets"),
});
const codes = createRoute({
  getParentRoute: () => admin,
  path: "/admin/codes",
  validateSearch: optional((s) => ({ batch: text(s.batch), state: text(s.state), cursor: text(s.cursor) })),
  component: lazyRouteComponent(() => import("../pages/codes"), "Codes"),
});
const payments = createRoute({
  getParentRoute: () => admin,
  path: "/admin/payments",
  validateSearch: optional((s) => ({
    tab: text(s.tab),
    user: text(s.user),
    state: text(s.state),
    cursor: text(s.cursor),
  })),
  component: lazyRouteComponent(() => import("../pages/payments"), "Payments"),
});
const outbox = createRoute({
  getParentRoute: () => admin,
  path: "/admin/outbox",
  validateSearch: optional((s) => ({ state: text(s.state), cursor: text(s.cursor), report: text(s.report) })),
  component: lazyRouteComponent(() => import("../pages/outbox"), "Outbox"),
});
const reconcile = createRoute({
  getParentRoute: () => admin,
  path: "/admin/reconcile",
  validateSearch: optional((s) => ({
    tab: text(s.tab),
    provider: text(s.provider),
    from: text(s.from),
    to: text(s.to),
    tolerance: text(s.tolerance),
    whole: flag(s.whole),
    page: page(s.page),
    cursor: text(s.cursor),
  })),
  component: lazyRouteComponent(() => import("../pages/reconcile"), "Reconcile"),
});
const notifications = createRoute({
  getParentRoute: () => admin,
  path: "/admin/notifications",
  validateSearch: optional((s) => ({ tab: text(s.tab), cursor: text(s.cursor), note: text(s.note) })),
  component: lazyRouteComponent(() => import("../pages/notifications"), "Notifications"),
});
const alerts = createRoute({
  getParentRoute: () => admin,
  path: "/admin/alerts",
  validateSearch: optional((s) => ({ tab: text(s.tab), cursor: text(s.cursor), alert: text(s.alert) })),
  component: lazyRouteComponent(() => import("../pages/alerts"), "Alerts"),
});
const settings = createRoute({
  getParentRoute: () => admin,
  path: "/admin/settings",
  validateSearch: optional((s) => ({ tab: text(s.tab), q: text(s.q), state: text(s.state) })),
  component: lazyRouteComponent(() => import("../pages/settings"), "Settings"),
});
const archive = createRoute({
  getParentRoute: () => admin,
  path: "/admin/archive",
  validateSearch: optional((s) => ({ tab: text(s.tab), cursor: text(s.cursor) })),
  component: lazyRouteComponent(() => import("../pages/archive"), "Archive"),
});

const people = [adminApps, clients];
const money = [wallets, codes, payments, outbox, reconcile];
const watching = [notifications, alerts, settings, archive];

const tree = root.addChildren([
  setup,
  signIn,
  inside.addChildren([
    home,
    keys,
    apps,
    calls,
    usage,
    status,
    credits,
    models,
    playground,
    profile,
    admin.addChildren([
      overview,
      start,
      providers,
      rates,
      routing,
      limits,
      users,
      audit,
      system,
      ...people,
      ...money,
      ...watching,
    ]),
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
