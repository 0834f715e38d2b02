interface Props {
  values: readonly number[];
  /** label says in words what is shown. */
  label: string;
  className?: string;
}

/** Sparkline is the course of a figure in a word's height. */
export function Sparkline({ values, label, className = "h-9 w-full" }: Props) {
  if (values.length < 2) return null;
  const most = Math.max(...values);
  const least = Math.min(0, ...values);
  const x = (i: number) => (i / (values.length - 1)) * 100;
  const y = (v: number) => (most === least ? 28 : 28 - ((v - least) / (most - least)) * 26);
  const line = values.map((v, i) => `${x(i).toFixed(2)},${y(v).toFixed(2)}`).join(" ");
  return (
    <svg role="img" aria-label={label} viewBox="0 0 100 30" preserveAspectRatio="none" className={className}>
      <polygon points={`0,30 ${line} 100,30`} className="fill-accent-soft" />
      <polyline points={line} fill="none" className="stroke-accent" strokeWidth="1.5" vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
