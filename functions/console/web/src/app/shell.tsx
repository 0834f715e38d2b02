import { Dialog } from "@base-ui/react/dialog";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { AppWindow, CircleUser, Languages, LogOut, Menu as MenuIcon, MonitorCog, Search, UserRound, X } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { api } from "../api/client";
import { hostLanguage, type Language, languages, useI18n } from "../lib/i18n";
import { chooseTheme, onHost, useTheme } from "../lib/theme";
import { IconButton } from "../ui/button";
import { Menu, MenuChoice, MenuItem, MenuLine } from "../ui/menu";
import { leaveHost, useHost } from "./host";
import { navigation, type Place, whole } from "./nav";
import { client, type Me, useMe, waysQuery } from "./session";
import { keyName, useShortcuts } from "./shortcuts";

const Palette = lazy(() => import("./palette").then((m) => ({ default: m.Palette })));
const Sheet = lazy(() => import("./sheet").then((m) => ({ default: m.Sheet })));

const entry = "flex min-h-9 items-center gap-2.5 rounded-lg px-2.5 text-ink-2 hover:bg-sunken hover:text-ink";
const chosen = { className: "bg-accent-soft !text-accent font-medium", "aria-current": "page" as const };

function Entry({ place, onClick }: { place: Place; onClick?: () => void }) {
  const { t } = useI18n();
  return (
    <Link
      to={place.to}
      onClick={onClick}
      className={entry}
      activeProps={chosen}
      activeOptions={{ exact: whole(place.to), includeSearch: false }}
    >
      <place.icon aria-hidden className="size-4.5 shrink-0" />
      <span className="truncate">{t(place.label)}</span>
    </Link>
  );
}

function Places({ me, onClick }: { me: Me; onClick?: () => void }) {
  const { t } = useI18n();
  return (
    <nav aria-label={t("nav.label")} className="flex flex-col gap-5">
      {navigation(me.user.role).map((group) => (
        <div key={group.label ?? "all"} className="flex flex-col gap-0.5">
          {group.label && <p className="px-2.5 pb-1 text-xs font-medium text-ink-3">{t(group.label)}</p>}
          {group.places.map((place) => (
            <Entry key={place.to} place={place} onClick={onClick} />
          ))}
        </div>
      ))}
    </nav>
  );
}

export function Brand() {
  return (
    <span className="flex items-center gap-2.5 font-semibold tracking-tight">
      <svg aria-hidden viewBox="0 0 32 32" className="size-7">
        <rect width="32" height="32" rx="8" className="fill-accent-fill" />
        <path
          d="M16 11V6M20.300 18.500l4.400 2.500M11.700 18.500l-4.400 2.500"
          fill="none"
          stroke="#fff"
          strokeWidth="2.4"
          strokeLinecap="round"
        />
        <circle cx="16" cy="16" r="4" fill="#fff" />
      </svg>
      AIGNE Hub
    </span>
  );
}

/** Settings of this browser: language and theme. */
export function Preferences() {
  const { t, choice, choose } = useI18n();
  const theme = useTheme();
  return (
    <>
      <Menu
        trigger={
          <IconButton label={t("language.label")}>
            <Languages aria-hidden className="size-4.5" />
          </IconButton>
        }
      >
        <MenuChoice
          label={t("language.label")}
          value={choice}
          onChange={choose}
          options={[["", t("language.browser")], ...(Object.entries(languages) as [keyof typeof languages, string][])]}
        />
      </Menu>
      <Menu
        trigger={
          <IconButton label={t("theme.label")}>
            <MonitorCog aria-hidden className="size-4.5" />
          </IconButton>
        }
      >
        <MenuChoice
          label={t("theme.label")}
          value={theme}
          onChange={chooseTheme}
          options={[
            ["system", t(onHost() ? "theme.app" : "theme.system")],
            ["light", t("theme.light")],
            ["dark", t("theme.dark")],
          ]}
        />
      </Menu>
    </>
  );
}

/** useLeave signs out: of the whole app on a Blocklet Server, as whose part the hub was signed in to. */
export function useLeave() {
  const navigate = useNavigate();
  return async () => {
    const ways = await client.fetchQuery(waysQuery).catch(() => undefined);
    await api.post("/api/auth/logout").catch(() => undefined); // ended or not, this browser is to forget
    if (ways?.blocklet) await leaveHost(ways.blocklet.sign_out);
    client.clear();
    await navigate({ to: "/sign-in", search: ways?.blocklet ? { out: true } : {} });
  };
}

function Account({ me }: { me: Me }) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const leave = useLeave();
  const host = useHost();
  return (
    <Menu
      trigger={
        <button
          type="button"
          className="inline-flex h-9 max-w-56 items-center gap-2 rounded-lg px-2 text-ink-2 hover:bg-sunken hover:text-ink"
        >
          <Face me={me} />
          <span className="sr-only">{t("account.menu")}</span>
          <span className="truncate max-sm:hidden">{me.user.name || me.user.email}</span>
        </button>
      }
    >
      <div className="px-2.5 py-1.5">
        <p className="truncate font-medium">{me.user.name || me.user.email}</p>
        <p className="truncate text-sm text-ink-3">
          {me.user.email} · {t(`role.${me.user.role}`)}
        </p>
      </div>
      <MenuLine />
      <MenuItem icon={<UserRound aria-hidden className="size-4" />} onClick={() => navigate({ to: "/profile" })}>
        {t("nav.profile")}
      </MenuItem>
      {onHost() && (
        <MenuItem icon={<AppWindow aria-hidden className="size-4" />} onClick={() => location.assign("/")}>
          {host?.name ? t("host.back", { app: host.name }) : t("host.back.plain")}
        </MenuItem>
      )}
      <MenuItem icon={<LogOut aria-hidden className="size-4" />} onClick={leave}>
        {t("account.leave")}
      </MenuItem>
    </Menu>
  );
}

/** Face is somebody's picture, where the server that the hub runs on has one at its own address. */
function Face({ me }: { me: Me }) {
  const picture = me.blocklet?.avatar ? new URL(me.blocklet.avatar, location.origin) : undefined;
  if (picture?.origin === location.origin)
    return <img src={picture.href} alt="" className="size-6 shrink-0 rounded-full bg-sunken object-cover" />;
  return <CircleUser aria-hidden className="size-5 shrink-0" />;
}

function PhoneNav({ me }: { me: Me }) {
  const { t } = useI18n();
  const [open, setOpen] = useState(false);
  const first = navigation(me.user.role)[0]?.places.slice(0, 4) ?? [];
  const tab = "flex flex-1 flex-col items-center justify-center gap-0.5 text-[11px] text-ink-3 min-w-0 px-1";
  return (
    <div className="fixed inset-x-0 bottom-0 z-30 border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] lg:hidden">
      <div className="flex h-14">
        {first.map((place) => (
          <Link
            key={place.to}
            to={place.to}
            className={tab}
            activeProps={{ className: "!text-accent font-medium", "aria-current": "page" }}
            activeOptions={{ exact: whole(place.to), includeSearch: false }}
          >
            <place.icon aria-hidden className="size-5" />
            <span className="max-w-full truncate">{t(place.brief ?? place.label)}</span>
          </Link>
        ))}
        <Dialog.Root open={open} onOpenChange={setOpen}>
          <Dialog.Trigger className={tab}>
            <MenuIcon aria-hidden className="size-5" />
            <span className="max-w-full truncate">{t("nav.more")}</span>
          </Dialog.Trigger>
          <Dialog.Portal>
            <Dialog.Backdrop className="fade fixed inset-0 z-40 bg-shade" />
            <Dialog.Popup className="fade fixed inset-y-0 right-0 z-50 w-72 max-w-[85vw] overflow-y-auto border-l border-line bg-surface p-4 shadow-lift data-[ending-style]:translate-x-6 data-[starting-style]:translate-x-6">
              <div className="mb-4 flex items-center justify-between">
                <Dialog.Title className="font-semibold">{t("nav.label")}</Dialog.Title>
                <Dialog.Close
                  aria-label={t("action.close")}
                  className="inline-flex size-9 items-center justify-center rounded-lg hover:bg-sunken"
                >
                  <X aria-hidden className="size-4.5" />
                </Dialog.Close>
              </div>
              <Places me={me} onClick={() => setOpen(false)} />
            </Dialog.Popup>
          </Dialog.Portal>
        </Dialog.Root>
      </div>
    </div>
  );
}

/** Shell is the frame of all pages for people who signed in. */
export function Shell() {
  const { choice, choose, setTimeZone } = useI18n();
  const me = useMe();
  const zone = me?.user.time_zone ?? "";
  useEffect(() => setTimeZone(zone), [zone, setTimeZone]);
  const own = me?.user.language as Language | "" | undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the user's language counts once, where this browser has none
  useEffect(() => {
    if (own && !choice && !hostLanguage()) choose(own);
  }, [own]);
  if (!me) return null;
  return <Frame me={me} />;
}

function Frame({ me }: { me: Me }) {
  const { t } = useI18n();
  const rooms = navigation(me.user.role).length > 0;
  const { open, setOpen } = useShortcuts(rooms);
  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]">
      <a href="#content" className="sr-only z-50 rounded-lg bg-raised p-2 focus:not-sr-only focus:fixed focus:top-2 focus:left-2">
        {t("nav.skip")}
      </a>
      <aside className="sticky top-0 flex h-dvh flex-col gap-6 overflow-y-auto border-r border-line bg-surface px-3 py-4 max-lg:hidden">
        <Link to="/" className="px-2.5">
          <Brand />
        </Link>
        <Places me={me} />
      </aside>
      <div className="flex min-w-0 flex-col max-lg:pb-16">
        <header className="sticky top-0 z-20 flex h-13 items-center justify-end gap-0.5 border-b border-line bg-surface px-3 sm:px-4">
          <Link to="/" className="mr-auto lg:hidden">
            <Brand />
          </Link>
          {rooms && (
            <button
              type="button"
              onClick={() => setOpen("palette")}
              aria-keyshortcuts="Control+K Meta+K"
              className="mr-auto inline-flex h-9 items-center gap-2 rounded-lg text-ink-3 hover:text-ink max-lg:mr-0 max-lg:w-9 max-lg:justify-center lg:w-72 lg:border lg:border-line lg:bg-bg lg:px-2.5 lg:hover:border-line-strong"
            >
              <Search aria-hidden className="size-4.5 lg:size-4" />
              <span className="flex-1 text-left max-lg:sr-only">{t("palette.open")}</span>
              <kbd
                aria-hidden
                className="rounded border border-line bg-surface px-1.5 font-sans text-xs text-ink-3 max-lg:hidden"
              >
                {keyName("mod")} K
              </kbd>
            </button>
          )}
          <Preferences />
          <Account me={me} />
        </header>
        <main id="content" tabIndex={-1} className="min-w-0 flex-1 outline-none">
          <Outlet />
        </main>
      </div>
      {rooms && <PhoneNav me={me} />}
      <Suspense>
        {open === "palette" && <Palette me={me} onClose={() => setOpen(undefined)} onSheet={() => setOpen("sheet")} />}
        {open === "sheet" && <Sheet onClose={() => setOpen(undefined)} />}
      </Suspense>
    </div>
  );
}
