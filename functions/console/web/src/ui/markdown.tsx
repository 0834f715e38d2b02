import { memo, useRef } from "react";
import Base, { type Components } from "react-markdown";
import gfm from "remark-gfm";
import { blocks } from "../lib/blocks";
import { useT } from "../lib/i18n";
import { CopyButton } from "./copy";

/** text of what a fence holds. */
function textOf(node: unknown): string {
  const n = node as { type?: string; value?: string; children?: unknown[] };
  return n.type === "text" ? (n.value ?? "") : (n.children ?? []).map(textOf).join("");
}

/** languageOf is what a fence says that it is written in, or "". */
function languageOf(node: unknown): string {
  const inner = (node as { children?: { properties?: { className?: unknown } }[] }).children?.[0];
  const names = inner?.properties?.className;
  const name = Array.isArray(names) ? names.find((n) => typeof n === "string" && n.startsWith("language-")) : undefined;
  return typeof name === "string" ? name.slice("language-".length) : "";
}

function Picture({ src, alt }: { src?: unknown; alt?: string }) {
  const t = useT();
  const name = t("play.picture.remote", { name: alt || "?" });
  if (typeof src !== "string" || src === "") return <span className="text-ink-3">{name}</span>;
  return (
    <a href={src} target="_blank" rel="noopener noreferrer nofollow">
      {name}
    </a>
  );
}

// What a model says is a stranger's text: HTML in it stays text, addresses are http, https or mailto only, and pictures are
// links, since loading one would tell its server who reads here.
const components: Components = {
  a: ({ node: _, ...rest }) => <a {...rest} target="_blank" rel="noopener noreferrer nofollow" />,
  img: ({ src, alt }) => <Picture src={src} alt={alt} />,
  pre: ({ node, children }) => (
    <div className="overflow-hidden rounded-lg border border-line bg-sunken">
      <div className="flex items-center justify-between gap-2 border-b border-line py-1 pr-1 pl-3">
        <span className="truncate text-sm text-ink-3">{languageOf(node)}</span>
        <CopyButton text={textOf(node).replace(/\n$/, "")} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>{children}</pre>
    </div>
  ),
  table: ({ node: _, ...rest }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <div className="overflow-x-auto" tabIndex={0}>
      <table {...rest} />
    </div>
  ),
  input: ({ node: _, ...rest }) => <input {...rest} aria-label={rest.checked ? "☑" : "☐"} />,
};

const plugins = [gfm];
const Block = memo(function Block({ text }: { text: string }) {
  return (
    <Base remarkPlugins={plugins} components={components}>
      {text}
    </Base>
  );
});

/** across are definitions of links and notes, which the other blocks need to be read. */
const across = /^ {0,3}\[[^\]]+\]:/m;

/**
 * Markdown shows what a model says. While more comes, only the last block is read again; it stays in blocks afterwards, so that
 * the end of a long answer does not halt the page.
 */
export function Markdown({ text, growing }: { text: string; growing?: boolean }) {
  const grew = useRef(false);
  if (growing) grew.current = true;
  const cut = growing || (grew.current && !across.test(text));
  return (
    <div className="said">
      {cut ? (
        // biome-ignore lint/suspicious/noArrayIndexKey: blocks have their order only
        blocks(text).map((block, i) => <Block key={i} text={block} />)
      ) : (
        <Block text={text} />
      )}
    </div>
  );
}
