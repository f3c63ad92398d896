/** A line of how something went, as small as a word. */

export function Sparkline({ values, label, width = 96, height = 22, colour = "var(--series-1)" }: {
  values: readonly (number | null)[];
  label: string;
  width?: number;
  height?: number;
  colour?: string;
}) {
  const present = values.filter((value): value is number => value !== null);
  const [lo, hi] = [Math.min(...present, 0), Math.max(...present, 0) || 1];
  const x = (index: number): number => 1 + (index / Math.max(values.length - 1, 1)) * (width - 2);
  const y = (value: number): number => height - 2 - ((value - lo) / (hi - lo || 1)) * (height - 4);
  let path = "";
  let pen = false;
  values.forEach((value, index) => {
    if (value === null) pen = false;
    else {
      path += `${pen ? "L" : "M"}${x(index).toFixed(1)},${y(value).toFixed(1)}`;
      pen = true;
    }
  });
  return (
    <svg width={width} height={height} role="img" aria-label={label}>
      <path d={path} fill="none" stroke={colour} strokeWidth={1.5} strokeLinejoin="round" strokeLinecap="round" />
    </svg>
  );
}
