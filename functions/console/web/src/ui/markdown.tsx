import { memo } from "react";
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
    <div className="group relative">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>{children}</pre>
      <div className="absolute top-1.5 right-1.5">
        <CopyButton text={textOf(node).replace(/\n$/, "")} />
      </div>
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

/** Markdown shows what a model says. While more comes, only the last block is read again. */
export function Markdown({ text, growing }: { text: string; growing?: boolean }) {
  return (
    <div className="said">
      {growing ? (
        // biome-ignore lint/suspicious/noArrayIndexKey: blocks have their order only
        blocks(text).map((block, i) => <Block key={i} text={block} />)
      ) : (
        <Block text={text} />
      )}
    </div>
  );
}
