/** What charts draw. Series differ by colour and by texture or dashes, so that no colour has to be told apart. */

export interface Series {
  key: string;
  name: string;
  /** rest is what has no series of its own. */
  rest?: boolean;
}

export interface Point {
  /** start of the point, ISO 8601. */
  start: string;
  /** values by the series' keys; what is left out is 0 in bars and a gap in lines. */
  values: Record<string, number>;
}

export const colours = 6;
export const colour = (i: number, rest?: boolean) => (rest ? "var(--chart-rest)" : `var(--chart-${(i % colours) + 1})`);
export const dashes = ["none", "6 4", "2 3", "10 3 2 3", "1 4", "12 4"];
export const textures = 4;
