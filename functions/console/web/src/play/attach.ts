import { type Attachment, named } from "./talk";

/** Files travel in the request, a third larger than they are; the hub takes 30 MB unless its operator says otherwise. */
export const limits = {
  /** count of files in a message. */
  count: 10,
  /** one in bytes. */
  one: 10_000_000,
  /** all in bytes, so that with a conversation around them they pass. */
  all: 20_000_000,
} as const;

/** accept is what a file chooser offers. */
export const accept =
  "image/png,image/jpeg,image/webp,image/gif,application/pdf,audio/wav,audio/mpeg,text/*,.md,.json,.csv,.xml,.yaml,.yml,.toml,.log,.ts,.tsx,.js,.py,.go,.rs,.java,.c,.h,.cpp,.sql,.sh";

const asText =
  /\.(txt|md|json|jsonl|csv|tsv|xml|ya?ml|toml|ini|log|html?|css|[cm]?[jt]sx?|py|go|rs|java|kt|swift|rb|php|c|h|cc|cpp|hpp|cs|sql|sh|lua|r)$/i;

/** kindOf is how a model can be given a file; undefined: not at all. */
export function kindOf(file: { name: string; type: string }): Attachment["kind"] | undefined {
  if (/^image\/(png|jpeg|webp|gif)$/.test(file.type)) return "image";
  if (file.type === "application/pdf") return "file";
  if (/^audio\/(x-)?(wav|wave|vnd\.wave|mpeg|mp3)$/.test(file.type)) return "audio";
  if (file.type.startsWith("text/") || file.type === "application/json" || asText.test(file.name)) return "text";
  return undefined;
}

export type Refusal = { name: string; why: "kind" | "size" | "count" | "all" | "empty" };

/** taken sorts out which of the files can be attached beside those that are. */
export function taken(have: readonly Attachment[], files: readonly File[]): { attachments: Attachment[]; refused: Refusal[] } {
  const attachments = [...have];
  const refused: Refusal[] = [];
  let sum = have.reduce((n, a) => n + a.size, 0);
  for (const file of files) {
    const kind = kindOf(file);
    const why =
      kind === undefined
        ? "kind"
        : file.size === 0
          ? "empty"
          : file.size > limits.one
            ? "size"
            : attachments.length >= limits.count
              ? "count"
              : sum + file.size > limits.all
                ? "all"
                : undefined;
    if (why || !kind) {
      refused.push({ name: file.name, why: why ?? "kind" });
      continue;
    }
    sum += file.size;
    attachments.push({ id: named(), name: file.name || kind, kind, type: file.type, size: file.size, blob: file });
  }
  return { attachments, refused };
}
