/** cosine of the angle between two vectors: 1 is the same direction; undefined where one has no length. */
export function cosine(a: readonly number[], b: readonly number[]): number | undefined {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const x = a[i] ?? 0;
    const y = b[i] ?? 0;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 || a.length !== b.length ? undefined : dot / Math.sqrt(aa * bb);
}

/** strip brings a vector to n numbers between -1 and 1, means of neighbours, to be drawn. */
export function strip(vector: readonly number[], n: number): number[] {
  const size = Math.max(1, Math.ceil(vector.length / n));
  const means: number[] = [];
  for (let at = 0; at < vector.length; at += size) {
    const part = vector.slice(at, at + size);
    means.push(part.reduce((sum, x) => sum + x, 0) / part.length);
  }
  const most = Math.max(...means.map(Math.abs), Number.MIN_VALUE);
  return means.map((x) => x / most);
}
