import { Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { useT } from "../lib/i18n";
import { buttonClass } from "../ui/button";
import { Empty } from "../ui/states";

export function Missing() {
  const t = useT();
  return (
    <main className="py-16">
      <Empty
        icon={<Compass aria-hidden className="size-5" />}
        title={<h1>{t("missing.title")}</h1>}
        action={
          <Link to="/" className={buttonClass()}>
            {t("missing.home")}
          </Link>
        }
      >
        {t("missing.text")}
      </Empty>
    </main>
  );
}
