import { CallFault, chat } from "./call";
import { applied, type Delta, messagesOf, optionsOf } from "./chat";
import { perFrame } from "./frames";
import type { Shelf } from "./store";
import {
  type Answer,
  type Attachment,
  type Figures,
  type Lane,
  mostLanes,
  named,
  newAnswer,
  newTalk,
  onTurn,
  type Settings,
  type Talk,
  type ToolUse,
  titleOf,
  withAnswer,
} from "./talk";

/** savedAfter is how long a change rests before it is kept, in ms. */
const savedAfter = 400;

/** Cost asks the hub what a call was charged; undefined where it will not say. */
export type Cost = (callId: string) => Promise<Pick<Figures, "credits" | "free"> | undefined>;

interface Deps {
  shelf: Shelf;
  cost: Cost;
  /** told hears of each call that ended, so that lists and balances can be read again. */
  told?: () => void;
}

/**
 * Bench is where a conversation is worked on: it asks the models, takes over what they say, and keeps everything. It lives
 * outside of React so that an answer can be stopped and kept when its page is gone.
 */
export class Bench {
  private now: Talk;
  private readonly listeners = new Set<() => void>();
  private readonly running = new Map<string, AbortController>(); // by lane
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** empty: nothing was written that would be worth keeping. */
  private touched = false;

  constructor(
    talk: Talk,
    private readonly deps: Deps,
  ) {
    this.now = talk;
  }

  readonly talk = (): Talk => this.now;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  busy(lane?: string): boolean {
    return lane === undefined ? this.running.size > 0 : this.running.has(lane);
  }

  private set(talk: Talk) {
    this.now = talk;
    this.touched = true;
    for (const listener of this.listeners) listener();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.keep(), savedAfter);
  }

  /** keep writes the conversation down, if there is anything in it. */
  async keep() {
    clearTimeout(this.timer);
    const t = this.now;
    const written = t.turns.length > 0 || t.draft.trim() !== "" || t.attachments.length > 0 || t.settings.system !== "";
    if (!this.touched || !written) return;
    this.touched = false;
    await this.deps.shelf.put(t);
  }

  /** leave stops what runs and keeps the rest. */
  async leave() {
    this.stop();
    await this.keep();
  }

  /** drop puts another conversation on the bench and keeps nothing of the one before: it was deleted. */
  drop(talk: Talk) {
    clearTimeout(this.timer);
    this.now = talk;
    this.touched = false;
    this.stop();
    for (const listener of this.listeners) listener();
  }

  /** open puts another conversation on the bench, at once: what is typed or attached next belongs to it. */
  async open(talk: Talk) {
    const kept = this.leave();
    this.now = talk;
    this.touched = false;
    for (const listener of this.listeners) listener();
    await kept;
  }

  draft(draft: string) {
    this.set({ ...this.now, draft });
  }

  attach(attachments: Attachment[]) {
    this.set({ ...this.now, attachments });
  }

  configure(settings: Settings) {
    this.set({ ...this.now, settings });
  }

  lanes(change: (lanes: Lane[]) => Lane[]) {
    const lanes = change(this.now.lanes).slice(0, mostLanes);
    for (const lane of this.running.keys()) if (!lanes.some((l) => l.id === lane)) this.stop(lane);
    this.set({ ...this.now, lanes });
  }

  /** say sends the draft to all models. It throws Unfit, and loses nothing, where a setting cannot be sent. */
  say() {
    const { draft, attachments, settings } = this.now;
    optionsOf(settings);
    if ((draft.trim() === "" && attachments.length === 0) || this.busy()) return;
    const turn = { id: named(), text: draft, attachments, answers: {} };
    this.set({
      ...this.now,
      title: this.now.title || titleOf(draft || (attachments[0]?.name ?? "")),
      updated: Date.now(),
      turns: [...this.now.turns, turn],
      draft: "",
      attachments: [],
    });
    this.askAll(turn.id);
  }

  /** idle is a lane that could be asked now. */
  private idle(lane: string): Lane | undefined {
    return this.busy(lane) ? undefined : this.now.lanes.find((l) => l.id === lane);
  }

  private askAll(turn: string) {
    for (const lane of this.now.lanes) void this.ask(turn, lane);
  }

  /** again asks a lane once more, from its first answer in the turn or, where tools were called, from the failed one on. */
  again(turn: string, lane: string, answer: string) {
    optionsOf(this.now.settings);
    const of = this.idle(lane);
    if (!of) return;
    const cut = (list: Answer[]) =>
      list.slice(
        0,
        Math.max(
          0,
          list.findIndex((a) => a.id === answer),
        ),
      );
    this.set(onTurn(this.now, turn, (t) => ({ ...t, answers: { ...t.answers, [lane]: cut(t.answers[lane] ?? []) } })));
    void this.ask(turn, of);
  }

  /** resend says a turn again in other words. What came after it stays in the conversation as it was; the new one is another. */
  async resend(turn: string, text: string) {
    optionsOf(this.now.settings);
    const old = this.now;
    const at = old.turns.findIndex((t) => t.id === turn);
    const said = old.turns[at];
    if (!said || this.busy()) return;
    const fresh = { id: named(), text, attachments: said.attachments, answers: {} };
    const last = at === old.turns.length - 1;
    const talk: Talk = { ...old, updated: Date.now(), turns: [...old.turns.slice(0, at), fresh] };
    if (at === 0) talk.title = titleOf(text);
    let kept: Promise<void> | undefined;
    if (!last) {
      kept = this.keep();
      talk.id = named();
      talk.lanes = old.lanes;
    }
    this.set(talk);
    this.askAll(fresh.id);
    await kept;
  }

  private onTools(turn: string, lane: string, answer: string, change: (use: ToolUse) => ToolUse) {
    const old = this.now.turns.find((t) => t.id === turn)?.answers[lane]?.find((a) => a.id === answer);
    if (old) this.set(withAnswer(this.now, turn, lane, { ...old, tools: old.tools.map(change) }));
  }

  /** result keeps what was typed as a tool's result. */
  result(turn: string, lane: string, answer: string, tool: string, result: string) {
    this.onTools(turn, lane, answer, (use) => (use.id === tool ? { ...use, result } : use));
  }

  /** goOn sends the results of tools that were typed. A result that was left empty is an empty one. */
  goOn(turn: string, lane: string, answer: string) {
    optionsOf(this.now.settings);
    const of = this.idle(lane);
    if (!of) return;
    this.onTools(turn, lane, answer, (use) => ({ ...use, result: use.result ?? "" }));
    void this.ask(turn, of);
  }

  /** stop ends a lane's call, or all: the connection is closed, and the hub sees it. */
  stop(lane?: string) {
    for (const [id, controller] of [...this.running]) if (lane === undefined || id === lane) controller.abort();
  }

  private async ask(turn: string, lane: Lane) {
    const controller = new AbortController();
    const { signal } = controller;
    this.running.set(lane.id, controller);
    const talk = this.now.id;
    let answer = newAnswer(lane.model);
    const show = (next: Answer) => {
      answer = next;
      // The person may have gone to another conversation: then it ends there, unseen.
      if (this.now.id === talk) this.set(withAnswer(this.now, turn, lane.id, answer));
    };
    const batch = perFrame<Delta>((deltas) => show(applied(answer, deltas)));
    show(answer);
    let started = performance.now();
    const took = () => Math.round(performance.now() - started);
    let firstMs: number | undefined;
    let callId = "";
    const ended = (state: Answer["state"], more: Partial<Answer> = {}) => {
      batch.flush();
      const figures = { ...answer.figures, firstMs, totalMs: took(), callId: callId || undefined };
      show({ ...answer, tools: numbered(answer.tools), ...more, state, figures });
    };
    try {
      const messages = await messagesOf(this.now, lane.id, turn);
      const body = {
        model: lane.model,
        messages,
        stream: true,
        stream_options: { include_usage: true },
        ...optionsOf(this.now.settings),
      };
      started = performance.now();
      await chat(body, signal, {
        opened: (id) => {
          callId = id;
        },
        delta: (delta) => {
          if (delta.text || delta.reasoning || delta.tools || delta.refusal) firstMs ??= took();
          batch.add(delta);
        },
      });
      ended("done");
    } catch (thrown) {
      if (thrown instanceof CallFault) {
        callId ||= thrown.callId;
        ended("failed", { fault: thrown.fault });
      } else if (signal.aborted) ended("stopped");
      else ended("failed", { fault: { status: 200, code: "broken", message: String(thrown), param: "" } });
    } finally {
      this.running.delete(lane.id);
      for (const listener of this.listeners) listener();
    }
    void this.keep();
    await this.charge(talk, turn, lane.id, answer.id, callId);
  }

  /** charge writes to an answer what the hub charged for it. */
  private async charge(talk: string, turn: string, lane: string, id: string, callId: string) {
    const cost = callId ? await this.deps.cost(callId) : undefined;
    this.deps.told?.();
    if (!cost) return;
    const now = this.now.id === talk ? this.now : await this.deps.shelf.get(talk);
    const old = now?.turns.find((t) => t.id === turn)?.answers[lane]?.find((a) => a.id === id);
    if (!now || !old) return;
    const next = withAnswer(now, turn, lane, { ...old, figures: { ...old.figures, ...cost } });
    if (this.now.id === talk) this.set(next);
    else await this.deps.shelf.put(next);
  }
}

/** numbered are the tools of a whole answer: streams may leave numbers out, and some servers the ids. */
function numbered(tools: readonly ToolUse[]): ToolUse[] {
  return tools.filter(Boolean).map((use, i) => (use.id ? use : { ...use, id: `call_${i}` }));
}

/** fresh is a new conversation with the models and settings of an old one, without what was said. */
export function fresh(old: Talk): Talk {
  return newTalk(
    old.lanes.map((l) => l.model),
    old.settings,
  );
}
