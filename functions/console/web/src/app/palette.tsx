import { Dialog } from "@base-ui/react/dialog";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Boxes, CornerDownLeft, Keyboard, KeyRound, Languages, LogOut, MonitorCog, Plug, Plus, UserRound } from "lucide-react";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { api } from "../api/client";
import { languages, useI18n } from "../lib/i18n";
import { chooseTheme } from "../lib/theme";
import { navigation } from "./nav";
import { type Entry, found, grouped } from "./palette-search";
import { isAdmin, type Me } from "./session";
import { useLeave } from "./shell";

const icon = "size-4.5 shrink-0 text-ink-3";

/** usePages are the pages that the user may see, and what can be done from anywhere. */
function usePages(me: Me, onSheet: () => void): Entry[] {
  const { t, choose } = useI18n();
  const navigate = useNavigate();
  const leave = useLeave();
  return useMemo(() => {
    const pages: Entry[] = navigation(me.user.role).flatMap((g) =>
      g.places.map((p) => ({
        id: `page ${p.to}`,
        group: t("palette.pages"),
        text: t(p.label),
        words: p.to,
        icon: <p.icon aria-hidden className={icon} />,
        act: () => navigate({ to: p.to }),
      })),
    );
    const act = (id: string, text: string, mark: Entry["icon"], does: () => unknown, words = ""): Entry => ({
      id,
      group: t("palette.actions"),
      text,
      words,
      icon: mark,
      act: does,
    });
    return [
      ...pages,
      {
        id: "page /profile",
        group: t("palette.pages"),
        text: t("nav.profile"),
        words: "/profile",
        icon: <UserRound aria-hidden className={icon} />,
        act: () => navigate({ to: "/profile" }),
      },
      act("make key", t("keys.create"), <Plus aria-hidden className={icon} />, () =>
        navigate({ to: "/keys", search: { make: "key" } }),
      ),
      ...(["light", "dark", "system"] as const).map((theme) =>
        act(
          `theme ${theme}`,
          `${t("theme.label")}: ${t(`theme.${theme}`)}`,
          <MonitorCog aria-hidden className={icon} />,
          () => chooseTheme(theme),
          `theme ${theme}`,
        ),
      ),
      ...(Object.entries(languages) as [keyof typeof languages, string][]).map(([tag, name]) =>
        act(
          `language ${tag}`,
          `${t("language.label")}: ${name}`,
          <Languages aria-hidden className={icon} />,
          () => choose(tag),
          `language ${tag}`,
        ),
      ),
      act("sheet", t("sheet.title"), <Keyboard aria-hidden className={icon} />, onSheet, "?"),
      act("leave", t("account.leave"), <LogOut aria-hidden className={icon} />, leave, "logout sign out"),
    ];
  }, [me.user.role, t, choose, navigate, leave, onSheet]);
}

/** useThings are models, keys and, for admins, providers and users that a text names. */
function useThings(me: Me, asked: string): { things: Entry[]; busy: boolean } {
  const { t } = useI18n();
  const navigate = useNavigate();
  const admin = isAdmin(me.user.role);
  const on = asked.length > 1;
  const models = useQuery({
    queryKey: ["prices", "palette", asked],
    queryFn: ({ signal }) => api.get("/api/billing/prices", { query: { q: asked, pageSize: 8 }, signal }),
    enabled: on,
    placeholderData: keepPreviousData,
  });
  const keys = useQuery({
    queryKey: ["keys", "palette"],
    queryFn: ({ signal }) => api.get("/api/auth/keys", { query: { pageSize: 100 }, signal }),
    enabled: on,
  });
  const providers = useQuery({
    queryKey: ["providers", "palette"],
    queryFn: ({ signal }) => api.get("/api/admin/providers", { signal }),
    enabled: on && admin,
  });
  const users = useQuery({
    queryKey: ["users", "palette", asked],
    queryFn: ({ signal }) => api.get("/api/admin/users", { query: { q: asked, pageSize: 8 }, signal }),
    enabled: on && admin,
    placeholderData: keepPreviousData,
  });
  const things: Entry[] = on
    ? [
        ...(keys.data?.data ?? [])
          .filter((k) => !k.revoked_at)
          .map((k) => ({
            id: `key ${k.id}`,
            group: t("nav.keys"),
            text: k.name,
            note: `…${k.hint}`,
            icon: <KeyRound aria-hidden className={icon} />,
            act: () => navigate({ to: "/keys", search: { key: k.id } }),
          })),
        ...(models.data?.data ?? []).map((m) => ({
          id: `model ${m.type} ${m.provider} ${m.model}`,
          group: t("nav.models"),
          text: m.model,
          note: m.provider,
          always: true, // the hub found it
          icon: <Boxes aria-hidden className={icon} />,
          act: () => navigate({ to: "/models", search: { q: m.model } }),
        })),
        ...(providers.data?.data ?? []).map((p) => ({
          id: `provider ${p.name}`,
          group: t("nav.providers"),
          text: p.display_name || p.name,
          note: p.name,
          icon: <Plug aria-hidden className={icon} />,
          act: () => navigate({ to: "/admin/providers", search: { name: p.name } }),
        })),
        ...(users.data?.data ?? []).map((u) => ({
          id: `user ${u.email}`,
          group: t("nav.users"),
          text: u.name || u.email,
          note: u.name ? u.email : "",
          always: true, // the hub found it
          icon: <UserRound aria-hidden className={icon} />,
          act: () => navigate({ to: "/admin/users", search: { user: u.email } }),
        })),
      ]
    : [];
  return { things, busy: models.isFetching || users.isFetching };
}

/** Palette goes anywhere and does what can be done from everywhere, by the keyboard alone. */
export function Palette({ me, onClose, onSheet }: { me: Me; onClose: () => void; onSheet: () => void }) {
  const { t, tn } = useI18n();
  const [text, setText] = useState("");
  const [asked, setAsked] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), 150);
    return () => clearTimeout(timer);
  }, [text]);
  const pages = usePages(me, onSheet);
  const { things, busy } = useThings(me, asked);
  const shown = found([...pages, ...things], text);
  const chosen = Math.min(at, shown.length - 1);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is chosen must be seen, also when the list changes
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [chosen, text]);

  function take(entry: Entry | undefined) {
    if (!entry) return;
    onClose();
    void entry.act();
  }
  function press(e: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6 }[e.key];
    if (step !== undefined && shown.length > 0) {
      e.preventDefault();
      const next = chosen + step;
      if (Math.abs(step) === 1) setAt((next + shown.length) % shown.length);
      else setAt(Math.max(0, Math.min(shown.length - 1, next)));
    } else if (e.key === "Enter" && !e.nativeEvent.isComposing) {
      e.preventDefault();
      take(shown[chosen]);
    }
  }

  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fade fixed inset-0 z-50 bg-shade" />
        <Dialog.Popup
          aria-label={t("palette.open")}
          className="pop fade fixed inset-x-3 top-[max(0.75rem,10dvh)] z-50 mx-auto flex max-h-[75dvh] max-w-xl flex-col overflow-hidden"
        >
          <div className="flex items-center gap-2 border-b border-line px-3.5">
            <input
              // biome-ignore lint/a11y/noAutofocus: it was opened to type into
              autoFocus
              role="combobox"
              aria-label={t("palette.open")}
              aria-expanded="true"
              aria-controls={`${id}-list`}
              aria-autocomplete="list"
              aria-activedescendant={shown.length > 0 ? `${id}-${chosen}` : undefined}
              value={text}
              onChange={(e) => {
                setText(e.target.value);
                setAt(0);
              }}
              onKeyDown={press}
              placeholder={t("palette.hint")}
              autoComplete="off"
              spellCheck={false}
              className="min-h-12 min-w-0 flex-1 bg-transparent outline-none"
            />
            <Dialog.Close
              aria-label={`Esc, ${t("action.close")}`}
              className="rounded border border-line bg-sunken px-1.5 py-0.5 text-xs text-ink-3 hover:text-ink"
            >
              Esc
            </Dialog.Close>
          </div>
          <div ref={list} id={`${id}-list`} role="listbox" aria-label={t("palette.open")} className="overflow-y-auto p-1.5">
            {grouped(shown).map(([group, entries]) => (
              // biome-ignore lint/a11y/useSemanticElements: options stand in groups of their list
              <div key={group} role="group" aria-label={group}>
                <div aria-hidden className="px-2.5 pt-2 pb-1 text-xs font-medium text-ink-3">
                  {group}
                </div>
                {entries.map(([entry, n]) => (
                  // biome-ignore lint/a11y/useFocusableInteractive: the field keeps the focus, and names the option that is chosen
                  // biome-ignore lint/a11y/useKeyWithClickEvents: the field takes the keys
                  <div
                    key={entry.id}
                    id={`${id}-${n}`}
                    role="option"
                    aria-selected={n === chosen}
                    onClick={() => take(entry)}
                    onPointerMove={() => n !== chosen && setAt(n)}
                    className={`flex min-h-9 cursor-pointer items-center gap-2.5 rounded-md px-2.5 ${n === chosen ? "bg-accent-soft" : ""}`}
                  >
                    {entry.icon}
                    <span className="min-w-0 flex-1 truncate">
                      {entry.text}
                      {entry.note && <span className="ml-2 text-sm text-ink-3">{entry.note}</span>}
                    </span>
                    {n === chosen && <CornerDownLeft aria-hidden className="size-4 shrink-0 text-ink-3" />}
                  </div>
                ))}
              </div>
            ))}
          </div>
          {shown.length === 0 && (
            <p className="px-4 pb-8 pt-4 text-center text-ink-3">{busy ? t("state.loading") : t("palette.none", { text })}</p>
          )}
          <span role="status" className="sr-only">
            {tn("palette.found", shown.length)}
          </span>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
