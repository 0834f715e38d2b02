/**
 * blocks cuts Markdown at the empty lines between its top-level blocks, so that only the last one has to be read again while
 * more comes. Fences and what is indented stay whole. A text is cut the same way however far it has come, but for its end.
 */
export function blocks(text: string): string[] {
  const out: string[] = [];
  let block: string[] = [];
  let fence = "";
  let empty = false;
  for (const line of text.split("\n")) {
    if (empty && fence === "" && block.length > 0 && /^\S/.test(line)) {
      out.push(block.join("\n"));
      block = [];
    }
    block.push(line);
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? "";
    if (fence === "") fence = mark;
    else if (mark.startsWith(fence) && line.trim() === mark) fence = "";
    empty = line.trim() === "";
  }
  if (block.length > 0) out.push(block.join("\n"));
  return out;
}
