import type { Answer } from "../api/client";
import type { I18n } from "../lib/i18n";

/** What calls are told apart by; users are the admins'. */
export const dimensions = ["model", "app", "key", "provider", "type", "user"] as const;
export type Dimension = (typeof dimensions)[number];

type Label = Pick<Answer<"/api/usage/group-trends">["series"][number], "key" | "name" | "email" | "provider">;

/** nameOf is what a part of the usage is called. */
export function nameOf({ t, known }: Pick<I18n, "t" | "known">, by: Dimension, x: Label): string {
  if (by === "model") return x.key;
  if (by === "type") return known(`type.${x.key}`, x.key);
  if (x.key === "") return by === "key" ? t("usage.nokey") : by === "app" ? t("usage.noapp") : t("usage.none");
  return x.name || x.email || x.key;
}
