import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api } from "../api/client";
import { useI18n } from "../lib/i18n";
import { CopyButton } from "../ui/copy";
import { Card, Facts, Mono } from "../ui/page";
import { Badge, Loaded, Note, Rows } from "../ui/states";
import { systemQuery } from "./system-query";

const commands = [
  ["backup.take", "aigne-hub backup"],
  ["backup.list", "aigne-hub backup list"],
  ["backup.verify", "aigne-hub backup verify"],
  ["backup.restore", "aigne-hub restore"],
  ["backup.doctor", "aigne-hub doctor"],
] as const;

/** Backups says whether backups are taken, where they go, and how one takes, proves and puts back one. */
export function Backups() {
  const { t } = useI18n();
  const system = useQuery(systemQuery);
  const settings = useQuery({ queryKey: ["settings"], queryFn: ({ signal }) => api.get("/api/admin/settings", { signal }) });
  const setting = (name: string) => settings.data?.data.find((s) => s.name === name);
  return (
    <Loaded query={system} loading={<Rows />}>
      {(s) => {
        if (s.database.kind !== "file")
          return (
            <Card title={t("system.tab.backups")}>
              <p>{t("backup.server")}</p>
            </Card>
          );
        const every = setting("AIGNE_HUB_BACKUP_EVERY");
        const period = every?.given && every.value !== "off" ? every.value : "";
        const keep = setting("AIGNE_HUB_BACKUP_KEEP");
        const kept = keep?.given ? keep.value : (keep?.default ?? "");
        const where = setting("AIGNE_HUB_BACKUP_URL");
        return (
          <div className="grid items-start gap-5 lg:grid-cols-2">
            <div className="flex min-w-0 flex-col gap-5">
              <Card title={t("backup.state")}>
                <div className="flex flex-col gap-4">
                  <Loaded query={settings} loading={<Rows n={3} />}>
                    {() => (
                      <Facts
                        items={[
                          [
                            t("backup.self"),
                            period ? (
                              <Badge key="e" kind="ok">
                                {t("backup.every", { period })}
                              </Badge>
                            ) : (
                              <Badge key="e" kind="warn">
                                {t("backup.off")}
                              </Badge>
                            ),
                          ],
                          period !== "" && [t("backup.keep"), kept === "0" ? t("backup.keep.all") : kept],
                          [t("backup.where"), <Mono key="w">{where?.given ? where.value : `${s.places.data}/backups`}</Mono>],
                        ]}
                      />
                    )}
                  </Loaded>
                  {settings.data && !period && <p className="wrap-anywhere text-ink-3">{t("backup.off.hint")}</p>}
                  <Link
                    to="/admin/settings"
                    search={{ tab: "start", q: "BACKUP" }}
                    className="self-start text-sm text-accent hover:underline"
                  >
                    {t("nav.settings")}
                  </Link>
                </div>
              </Card>
              <Note kind="warn">
                {t(`backup.master.${s.places.master as "file" | "setting" | "kms"}`, { file: s.places.key_file })}
              </Note>
            </div>
            <Card title={t("backup.commands")}>
              <p className="mb-4 text-ink-3">{t("backup.file")}</p>
              <ul className="flex flex-col gap-3">
                {commands.map(([text, command]) => (
                  <li key={command}>
                    <p className="mb-1 text-sm text-ink-2">{t(text)}</p>
                    <div className="flex items-center gap-2 rounded-lg bg-sunken py-1.5 pr-1.5 pl-3">
                      <code className="min-w-0 flex-1 font-mono text-[13px] break-all">{command}</code>
                      <CopyButton text={command} />
                    </div>
                  </li>
                ))}
              </ul>
            </Card>
          </div>
        );
      }}
    </Loaded>
  );
}
