import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { ArrowDown, CodeXml, History as HistoryIcon, MessagesSquare, Plus, SlidersHorizontal, X } from "lucide-react";
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { useInvalidate, useMe } from "../app/session";
import { useI18n } from "../lib/i18n";
import { recall, remember } from "../lib/memory";
import { Button, IconButton } from "../ui/button";
import { Drawer } from "../ui/dialog";
import { Empty, Loaded, Rows } from "../ui/states";
import { Bench, fresh } from "./bench";
import { CodeDialog } from "./code-dialog";
import { Composer } from "./composer";
import { costOf } from "./cost";
import { History } from "./history";
import { ModelPicker } from "./model-picker";
import { type Model, modelsQuery } from "./models";
import { SettingsPanel } from "./settings";
import { type Shelf, shelfOf } from "./store";
import { mostLanes, named, newTalk, type Settings, type Talk } from "./talk";
import { useTry } from "./try";
import { columns, TurnView } from "./turn";

const lastModels = "aigne-hub.play.models";

/** first is the conversation that a visit begins with. */
function first(models: readonly Model[], wanted: string | undefined): Talk {
  const can = (name: string) => models.some((m) => m.name === name);
  if (wanted) return newTalk([wanted]);
  const remembered = recall(lastModels).split("\n").filter(can);
  const begin = models.find((m) => !m.down) ?? models[0];
  return newTalk(remembered.length > 0 ? remembered : begin ? [begin.name] : []);
}

/** ChatTab is talking with models, one or up to four side by side. */
export function ChatTab() {
  const { t } = useI18n();
  const me = useMe();
  const { model, talk } = useSearch({ from: "/inside/playground" });
  const models = useQuery(modelsQuery("chatCompletion"));
  const user = me?.user.id ?? "";
  const shelf = useMemo(() => shelfOf(user), [user]);
  const ready = models.data !== undefined;
  // What this visit begins with; later changes of the address are made by the page itself.
  const begin = useRef({ model, talk });
  const opened = useQuery({
    queryKey: ["talks", "begin", user],
    queryFn: async () => {
      const kept = begin.current.talk && !begin.current.model ? await shelf.get(begin.current.talk) : undefined;
      return kept ?? first(models.data ?? [], begin.current.model);
    },
    enabled: ready && user !== "",
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  return (
    <Loaded query={models} loading={<Rows />}>
      {(list) =>
        list.length === 0 ? (
          <div className="card">
            <Empty icon={<MessagesSquare aria-hidden className="size-5" />} title={t("models.none")}>
              {t("models.none.hint")}
            </Empty>
          </div>
        ) : (
          <Loaded query={opened} loading={<Rows />}>
            {(start) => <Talking shelf={shelf} models={list} start={start} />}
          </Loaded>
        )
      }
    </Loaded>
  );
}

function Talking({ shelf, models, start }: { shelf: Shelf; models: Model[]; start: Talk }) {
  const { t } = useI18n();
  const navigate = useNavigate({ from: "/playground" });
  const invalidate = useInvalidate();
  const [unfit, setUnfit] = useState("");
  const attempt = useTry(setUnfit);
  const [bench] = useState(() => new Bench(start, { shelf, cost: costOf, told: () => void invalidate("calls", "balance") }));
  const talk = useSyncExternalStore(bench.subscribe, bench.talk);
  const [panel, setPanel] = useState(false);
  const [history, setHistory] = useState(false);
  const [code, setCode] = useState<Talk>();
  const busy = useSyncExternalStore(bench.subscribe, () => bench.busy());
  const end = useRef<HTMLDivElement>(null);
  const { follow, toEnd } = useFollow(end, talk);

  useEffect(() => {
    const keep = () => void bench.keep();
    addEventListener("pagehide", keep);
    return () => {
      removeEventListener("pagehide", keep);
      void bench.leave();
    };
  }, [bench]);
  useEffect(() => {
    void navigate({ search: (old) => ({ ...old, talk: talk.id, model: undefined }), replace: true });
  }, [talk.id, navigate]);
  const chosen = talk.lanes.map((l) => l.model).join("\n");
  useEffect(() => remember(lastModels, chosen), [chosen]);

  function configure(to: Settings) {
    setUnfit("");
    bench.configure(to);
  }
  const settings = <SettingsPanel key={talk.id} settings={talk.settings} onChange={configure} />;
  return (
    <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_20rem]">
      <div className="flex min-h-[calc(100dvh-15rem)] min-w-0 flex-col gap-4 self-stretch">
        <div className="flex flex-wrap items-center gap-2">
          <Button icon={<Plus aria-hidden className="size-4" />} onClick={() => bench.open(fresh(talk))}>
            {t("play.new")}
          </Button>
          <Button
            icon={<HistoryIcon aria-hidden className="size-4" />}
            onClick={() => void bench.keep().then(() => setHistory(true))}
          >
            {t("play.history")}
          </Button>
          <Button icon={<CodeXml aria-hidden className="size-4" />} onClick={() => setCode(talk)}>
            {t("play.code")}
          </Button>
          <Button
            className="xl:hidden"
            icon={<SlidersHorizontal aria-hidden className="size-4" />}
            onClick={() => setPanel(true)}
          >
            {t("play.settings")}
          </Button>
        </div>
        <Lanes bench={bench} talk={talk} models={models} />
        {talk.turns.length === 0 ? (
          <div className="flex flex-1 items-center justify-center">
            <Empty icon={<MessagesSquare aria-hidden className="size-5" />} title={t("play.begin")}>
              {t("play.begin.hint")}
            </Empty>
          </div>
        ) : (
          <div className="flex flex-1 flex-col gap-5" aria-live={busy ? "off" : "polite"}>
            {talk.turns.map((turn, i) => (
              <TurnView key={turn.id} bench={bench} talk={talk} turn={turn} last={i === talk.turns.length - 1} />
            ))}
          </div>
        )}
        <div ref={end} />
        <div className="sticky bottom-17 z-10 mt-auto flex flex-col lg:bottom-3">
          {!follow && talk.turns.length > 0 && (
            <div className="mb-2 self-center">
              <Button small className="shadow-lift" icon={<ArrowDown aria-hidden className="size-4" />} onClick={toEnd}>
                {t("play.end")}
              </Button>
            </div>
          )}
          <Composer
            draft={talk.draft}
            attachments={talk.attachments}
            busy={busy}
            unfit={unfit}
            ready={talk.lanes.every((l) => l.model !== "")}
            onDraft={(d) => bench.draft(d)}
            onAttach={(a) => bench.attach(a)}
            send={() => attempt(() => bench.say()).then((sent) => sent && toEnd())}
            stop={() => bench.stop()}
          />
        </div>
      </div>
      <aside
        aria-label={t("play.settings")}
        className="card sticky top-16 max-h-[calc(100dvh-5rem)] overflow-y-auto p-4 max-xl:hidden"
      >
        {settings}
      </aside>
      <Drawer open={panel} onClose={() => setPanel(false)} title={t("play.settings")}>
        {settings}
      </Drawer>
      <History
        shelf={shelf}
        current={talk.id}
        open={history}
        onClose={() => setHistory(false)}
        choose={async (id) => {
          const kept = await shelf.get(id);
          if (kept) await bench.open(kept);
          setHistory(false);
        }}
        gone={(id) => (id === "" || id === talk.id) && bench.drop(fresh(talk))}
      />
      <CodeDialog talk={code} onClose={() => setCode(undefined)} />
    </div>
  );
}

/** Lanes are the models that answer; with two or more they are compared. */
function Lanes({ bench, talk, models }: { bench: Bench; talk: Talk; models: Model[] }) {
  const { t } = useI18n();
  const n = talk.lanes.length;
  return (
    <div className="flex items-start gap-2">
      <div className={`grid min-w-0 flex-1 gap-2 ${columns(n)}`}>
        {talk.lanes.map((lane, i) => (
          <div key={lane.id} className="flex min-w-0 items-center gap-1">
            <div className="min-w-0 flex-1">
              <ModelPicker
                label={n > 1 ? t("play.lane", { n: i + 1 }) : t("call.model")}
                models={models}
                value={lane.model}
                onChange={(model) => bench.lanes((all) => all.map((l) => (l.id === lane.id ? { ...l, model } : l)))}
              />
            </div>
            {n > 1 && (
              <IconButton
                label={t("play.lane.remove", { model: lane.model })}
                onClick={() => bench.lanes((all) => all.filter((l) => l.id !== lane.id))}
              >
                <X aria-hidden className="size-4" />
              </IconButton>
            )}
          </div>
        ))}
      </div>
      {n < mostLanes && (
        <Button
          icon={<Plus aria-hidden className="size-4" />}
          onClick={() =>
            bench.lanes((all) => {
              const other = models.find((m) => !m.down && all.every((l) => l.model !== m.name));
              return [...all, { id: named(), model: other?.name ?? all[0]?.model ?? "" }];
            })
          }
        >
          {t("play.lane.add")}
        </Button>
      )}
    </div>
  );
}

/** useFollow keeps the end of the page in sight while more comes, unless the reader went up. */
function useFollow(end: React.RefObject<HTMLDivElement | null>, talk: Talk) {
  const [follow, setFollow] = useState(true);
  const follows = useRef(true);
  const near = 160; // px
  useEffect(() => {
    let last = scrollY;
    const onScroll = () => {
      const atEnd = document.documentElement.scrollHeight - innerHeight - scrollY < near;
      // Only the reader goes up; a page that grows does not.
      if (atEnd || scrollY < last - 2) {
        follows.current = atEnd;
        setFollow(atEnd);
      }
      last = scrollY;
    };
    addEventListener("scroll", onScroll, { passive: true });
    return () => removeEventListener("scroll", onScroll);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whatever was added to the conversation
  useEffect(() => {
    if (document.documentElement.scrollHeight - innerHeight - scrollY < near) {
      setFollow(true);
      follows.current = true;
    }
    if (follows.current && talk.turns.length > 0) scrollTo({ top: document.documentElement.scrollHeight });
  }, [talk, end]);
  return {
    follow,
    toEnd: () => {
      follows.current = true;
      setFollow(true);
      requestAnimationFrame(() => scrollTo({ top: document.documentElement.scrollHeight }));
    },
  };
}
