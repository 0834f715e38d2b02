/** save gives the user a file that this page has. */
export function save(body: Blob, name: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(body);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** collect reads an answer and says how many bytes it has so far. */
export async function collect(answer: Response, progress: (bytes: number) => void): Promise<Blob> {
  const parts: BlobPart[] = [];
  let bytes = 0;
  const reader = answer.body?.getReader();
  for (;;) {
    const part = await reader?.read();
    if (!part || part.done) return new Blob(parts, { type: answer.headers.get("Content-Type") ?? "" });
    parts.push(part.value);
    bytes += part.value.length;
    progress(bytes);
  }
}

/** nameIn is the file name that an answer says it has. */
export function nameIn(answer: Response, otherwise: string): string {
  return /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? otherwise;
}
