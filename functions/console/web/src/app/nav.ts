import {
  Boxes,
  CircleGauge,
  FlaskConical,
  KeyRound,
  type LucideIcon,
  Plug,
  ReceiptText,
  Rocket,
  ScrollText,
  Tags,
  UsersRound,
  Wallet,
} from "lucide-react";
import type { Key } from "../lib/i18n";
import { isAdmin, type Role } from "./session";

export interface Place {
  to: string;
  label: Key;
  icon: LucideIcon;
}

interface Group {
  label?: Key;
  places: Place[];
}

const everyone: Place[] = [
  { to: "/", label: "nav.home", icon: CircleGauge },
  { to: "/calls", label: "nav.calls", icon: ReceiptText },
  { to: "/keys", label: "nav.keys", icon: KeyRound },
  { to: "/credits", label: "nav.credits", icon: Wallet },
  { to: "/models", label: "nav.models", icon: Boxes },
  { to: "/playground", label: "nav.playground", icon: FlaskConical },
];

const admins: Place[] = [
  { to: "/admin/providers", label: "nav.providers", icon: Plug },
  { to: "/admin/rates", label: "nav.rates", icon: Tags },
  { to: "/admin/users", label: "nav.users", icon: UsersRound },
  { to: "/admin/audit", label: "nav.audit", icon: ScrollText },
  { to: "/start", label: "nav.start", icon: Rocket },
];

/** navigation is what a role can go to. */
export function navigation(role: Role): Group[] {
  if (role === "guest") return [];
  return isAdmin(role) ? [{ places: everyone }, { label: "nav.admin", places: admins }] : [{ places: everyone }];
}
