import { useQuery } from "@tanstack/react-query";
import { MessagesSquare, Trash2 } from "lucide-react";
import { useState } from "react";
import { useInvalidate } from "../app/session";
import { useI18n } from "../lib/i18n";
import { Button, IconButton } from "../ui/button";
import { Confirm, Drawer } from "../ui/dialog";
import { Time } from "../ui/page";
import { Empty, Loaded } from "../ui/states";
import type { Heading, Shelf } from "./store";

interface Props {
  shelf: Shelf;
  current: string;
  open: boolean;
  onClose: () => void;
  choose: (id: string) => void;
  /** gone hears of a conversation that was deleted; "" means all. */
  gone: (id: string) => void;
}

/** History is what was talked about in this browser. */
export function History({ shelf, current, open, onClose, choose, gone }: Props) {
  const { t } = useI18n();
  const invalidate = useInvalidate();
  const [asked, setAsked] = useState<Heading | "all">();
  const talks = useQuery({ queryKey: ["talks", "list"], queryFn: () => shelf.list(), enabled: open, staleTime: 0, retry: false });
  return (
    <Drawer open={open} onClose={onClose} title={t("play.history")} about={t("play.history.about")}>
      <Loaded query={talks}>
        {(list) =>
          list.length === 0 ? (
            <Empty icon={<MessagesSquare aria-hidden className="size-5" />} title={t("play.history.none")} />
          ) : (
            <div className="flex flex-col gap-4">
              <ul className="flex flex-col gap-0.5">
                {list.map((h) => (
                  <li key={h.id} className="flex items-center gap-1">
                    <button
                      type="button"
                      aria-current={h.id === current || undefined}
                      onClick={() => choose(h.id)}
                      className={`flex min-h-10 min-w-0 flex-1 items-center gap-3 rounded-lg px-2.5 text-left hover:bg-sunken ${h.id === current ? "bg-accent-soft font-medium" : ""}`}
                    >
                      <span className="min-w-0 flex-1 truncate">{h.title || t("play.history.draft")}</span>
                      <span className="shrink-0 text-sm font-normal text-ink-3">
                        <Time at={new Date(h.updated).toISOString()} />
                      </span>
                    </button>
                    <IconButton
                      label={t("play.history.delete.one", { name: h.title || t("play.history.draft") })}
                      onClick={() => setAsked(h)}
                    >
                      <Trash2 aria-hidden className="size-4" />
                    </IconButton>
                  </li>
                ))}
              </ul>
              <div>
                <Button small onClick={() => setAsked("all")} icon={<Trash2 aria-hidden className="size-4" />}>
                  {t("play.history.delete.all")}
                </Button>
              </div>
            </div>
          )
        }
      </Loaded>
      <Confirm
        open={asked !== undefined}
        onClose={() => setAsked(undefined)}
        title={asked === "all" ? t("play.history.delete.all") : t("play.history.delete")}
        consequences={asked === "all" ? t("play.history.delete.all.so") : t("play.history.delete.so")}
        action={t("action.remove")}
        act={async () => {
          if (asked === "all") {
            await shelf.clear();
            gone("");
          } else if (asked) {
            await shelf.remove(asked.id);
            gone(asked.id);
          }
          await invalidate("talks");
        }}
      />
    </Drawer>
  );
}
