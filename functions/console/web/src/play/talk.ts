/** A conversation of the playground as it is kept in this browser: what was said, by whom, and how it went. */

export interface Attachment {
  id: string;
  name: string;
  /** kind is how a model gets it: a picture, a document, a recording, or words in the message. */
  kind: "image" | "file" | "audio" | "text";
  /** type is its media type. */
  type: string;
  /** size in bytes. */
  size: number;
  blob: Blob;
}

/** ToolUse is a function that a model wants called. */
export interface ToolUse {
  id: string;
  name: string;
  /** args is JSON text, as the model wrote it. */
  args: string;
  /** result is what the person typed; undefined while nothing was. */
  result?: string;
  /** extra goes back to the model untouched: some sign their calls. */
  extra?: unknown;
}

/** Fault is why an answer is none. */
export interface Fault {
  /** status 0: the hub was not reached. 200: the stream broke off. */
  status: number;
  code: string;
  message: string;
  param: string;
  /** retryAfter in seconds, where the hub named it. */
  retryAfter?: number;
  link?: string;
}

/** Figures are what an answer took. Times are milliseconds, as this browser saw them. */
export interface Figures {
  firstMs?: number;
  totalMs?: number;
  input?: number;
  output?: number;
  reasoning?: number;
  cached?: number;
  callId?: string;
  /** credits is an exact decimal; undefined until the hub has settled the call. */
  credits?: string;
  /** free: the hub does not bill this call. */
  free?: boolean;
}

export type State = "running" | "done" | "stopped" | "failed";

export interface Answer {
  id: string;
  model: string;
  state: State;
  text: string;
  reasoning: string;
  /** details are the model's signed thoughts, which it wants back when it goes on after a tool. */
  details?: Record<string, unknown>[];
  refusal: string;
  tools: ToolUse[];
  /** finish is why the model ended: stop, length, tool_calls, content_filter. */
  finish: string;
  figures: Figures;
  fault?: Fault;
}

/** Turn is something said, and each lane's answers to it: more than one where tools were called. */
export interface Turn {
  id: string;
  text: string;
  attachments: Attachment[];
  answers: Record<string, Answer[]>;
}

/** Lane is one of the models that answer side by side. */
export interface Lane {
  id: string;
  model: string;
}

export interface Tool {
  id: string;
  name: string;
  description: string;
  /** parameters is a JSON schema as text. */
  parameters: string;
}

/** Settings are kept as typed; bodyOf reads them. */
export interface Settings {
  system: string;
  temperature: string;
  topP: string;
  maxTokens: string;
  frequency: string;
  presence: string;
  seed: string;
  /** stop has one sequence a line. */
  stop: string;
  effort: string;
  format: "text" | "json_object" | "json_schema";
  schema: string;
  tools: Tool[];
  toolChoice: "auto" | "required" | "none";
}

export interface Talk {
  id: string;
  title: string;
  /** updated in milliseconds since 1970. */
  updated: number;
  lanes: Lane[];
  settings: Settings;
  turns: Turn[];
  /** draft is what was typed and not sent. */
  draft: string;
  attachments: Attachment[];
}

/** mostLanes is how many models can answer side by side. */
export const mostLanes = 4;

/** named makes an id. Not crypto.randomUUID: that is missing where the hub is reached over plain http. */
export function named(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
}

export const plain: Settings = {
  system: "",
  temperature: "",
  topP: "",
  maxTokens: "",
  frequency: "",
  presence: "",
  seed: "",
  stop: "",
  effort: "",
  format: "text",
  schema: "",
  tools: [],
  toolChoice: "auto",
};

export function newTalk(models: readonly string[], settings: Settings = plain): Talk {
  const lanes = (models.length > 0 ? models : [""]).slice(0, mostLanes).map((model) => ({ id: named(), model }));
  return { id: named(), title: "", updated: Date.now(), lanes, settings, turns: [], draft: "", attachments: [] };
}

export function newAnswer(model: string): Answer {
  return { id: named(), model, state: "running", text: "", reasoning: "", refusal: "", tools: [], finish: "", figures: {} };
}

/** titleOf is the beginning of what was said first. */
export function titleOf(text: string): string {
  const line = text.trim().split("\n")[0] ?? "";
  const letters = Array.from(line);
  return letters.length > 60 ? `${letters.slice(0, 60).join("").trimEnd()}…` : line;
}

/** answersOf are a lane's answers in a turn. A model that came later goes on from what the first one said. */
export function answersOf(talk: Talk, turn: Turn, lane: string): Answer[] {
  return turn.answers[lane] ?? turn.answers[talk.lanes[0]?.id ?? ""] ?? Object.values(turn.answers)[0] ?? [];
}

/** withAnswer puts a lane's answer in the place of the one with its id, or behind the others. */
export function withAnswer(talk: Talk, turn: string, lane: string, answer: Answer): Talk {
  return onTurn(talk, turn, (t) => {
    const old = t.answers[lane] ?? [];
    const answers = old.some((a) => a.id === answer.id) ? old.map((a) => (a.id === answer.id ? answer : a)) : [...old, answer];
    return { ...t, answers: { ...t.answers, [lane]: answers } };
  });
}

export function onTurn(talk: Talk, id: string, change: (turn: Turn) => Turn): Talk {
  return { ...talk, turns: talk.turns.map((t) => (t.id === id ? change(t) : t)) };
}

/** waitsForTools: the lane's last answer wants functions called, and some have no result yet or were not sent. */
export function waitsForTools(answers: readonly Answer[]): boolean {
  const last = answers.at(-1);
  return last !== undefined && last.state === "done" && last.tools.length > 0;
}

/** settled is a conversation as it comes from its store: nothing runs in it. */
export function settled(talk: Talk): Talk {
  const rest = (a: Answer): Answer => (a.state === "running" ? { ...a, state: "stopped" } : a);
  return {
    ...talk,
    settings: { ...plain, ...talk.settings },
    turns: talk.turns.map((t) => ({
      ...t,
      answers: Object.fromEntries(Object.entries(t.answers).map(([lane, list]) => [lane, list.map(rest)])),
    })),
  };
}
