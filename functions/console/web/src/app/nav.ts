import {
  Activity,
  AppWindow,
  Archive,
  Bell,
  Blocks,
  Boxes,
  ChartColumn,
  CircleGauge,
  CreditCard,
  FlaskConical,
  Gauge,
  KeyRound,
  Landmark,
  LayoutDashboard,
  type LucideIcon,
  Plug,
  Plug2,
  ReceiptText,
  Rocket,
  Route,
  Scale,
  ScrollText,
  Send,
  Server,
  Settings,
  Siren,
  Tags,
  Ticket,
  UsersRound,
  Wallet,
} from "lucide-react";
import type { Key } from "../lib/i18n";
import { isAdmin, type Role } from "./session";

export interface Place {
  to: string;
  label: Key;
  /** brief is the label where there is little room. */
  brief?: Key;
  icon: LucideIcon;
}

export interface Group {
  label?: Key;
  places: Place[];
}

const everyone: Group = {
  places: [
    { to: "/", label: "nav.home", icon: CircleGauge },
    { to: "/playground", label: "nav.playground", brief: "nav.playground.brief", icon: FlaskConical },
    { to: "/usage", label: "nav.usage", icon: ChartColumn },
    { to: "/calls", label: "nav.calls", icon: ReceiptText },
    { to: "/keys", label: "nav.keys", icon: KeyRound },
    { to: "/apps", label: "nav.apps", icon: AppWindow },
    { to: "/credits", label: "nav.credits", icon: Wallet },
    { to: "/models", label: "nav.models", icon: Boxes },
    { to: "/status", label: "nav.status", icon: Activity },
  ],
};

/** What admins run the hub with, by what it is about. */
const admins: Group[] = [
  {
    label: "nav.admin",
    places: [
      { to: "/admin", label: "nav.overview", icon: LayoutDashboard },
      { to: "/start", label: "nav.start", icon: Rocket },
    ],
  },
  {
    label: "nav.group.gateway",
    places: [
      { to: "/admin/providers", label: "nav.providers", icon: Plug },
      { to: "/admin/rates", label: "nav.rates", icon: Tags },
      { to: "/admin/routing", label: "nav.routing", icon: Route },
      { to: "/admin/limits", label: "nav.limits", icon: Gauge },
    ],
  },
  {
    label: "nav.group.people",
    places: [
      { to: "/admin/users", label: "nav.users", icon: UsersRound },
      { to: "/admin/apps", label: "nav.admin.apps", icon: Blocks },
      { to: "/admin/clients", label: "nav.clients", icon: Plug2 },
    ],
  },
  {
    label: "nav.group.money",
    places: [
      { to: "/admin/credits", label: "nav.admin.credits", icon: Landmark },
      { to: "/admin/codes", label: "nav.codes", icon: Ticket },
      { to: "/admin/payments", label: "nav.payments", icon: CreditCard },
      { to: "/admin/outbox", label: "nav.outbox", icon: Send },
      { to: "/admin/reconcile", label: "nav.reconcile", icon: Scale },
    ],
  },
  {
    label: "nav.group.system",
    places: [
      { to: "/admin/alerts", label: "nav.alerts", icon: Siren },
      { to: "/admin/notifications", label: "nav.notifications", icon: Bell },
      { to: "/admin/audit", label: "nav.audit", icon: ScrollText },
      { to: "/admin/settings", label: "nav.settings", icon: Settings },
      { to: "/admin/archive", label: "nav.archive", icon: Archive },
      { to: "/admin/system", label: "nav.system", icon: Server },
    ],
  },
];

/** navigation is what a role can go to. */
export function navigation(role: Role): Group[] {
  if (role === "guest") return [];
  return isAdmin(role) ? [everyone, ...admins.filter((g) => g.places.length > 0)] : [everyone];
}

/** whole: only the place itself is current there, not what lies below it. */
export const whole = (to: string) => to === "/" || to === "/admin";
