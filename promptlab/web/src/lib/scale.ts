/** Axes: round ticks, and where a value lies. */

/** About `want` round values from lo to hi. */
export function ticks(lo: number, hi: number, want = 5): number[] {
  if (!(hi > lo)) return [lo];
  const raw = (hi - lo) / want;
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const step = magnitude * ([1, 2, 5, 10].find((each) => raw <= each * magnitude) ?? 10);
  const found: number[] = [];
  for (let at = Math.ceil(lo / step - 1e-9) * step; at <= hi + step * 1e-9; at += step) found.push(Number(at.toPrecision(12)));
  return found;
}

/** Powers of ten, and 2 and 5 between them where there are few. */
export function logTicks(lo: number, hi: number): number[] {
  const found: number[] = [];
  const few = Math.log10(hi / lo) < 2.5;
  for (let power = Math.floor(Math.log10(lo)); power <= Math.ceil(Math.log10(hi)); power++)
    for (const times of few ? [1, 2, 5] : [1]) {
      const at = times * 10 ** power;
      if (at >= lo * (1 - 1e-9) && at <= hi * (1 + 1e-9)) found.push(Number(at.toPrecision(12)));
    }
  return found;
}

export function linear(domain: readonly [number, number], to: readonly [number, number]): (value: number) => number {
  const [lo, hi] = domain;
  const span = hi - lo || 1;
  return (value) => to[0] + ((value - lo) / span) * (to[1] - to[0]);
}

export function logarithmic(domain: readonly [number, number], to: readonly [number, number]): (value: number) => number {
  const scale = linear([Math.log10(domain[0]), Math.log10(domain[1])], to);
  return (value) => scale(Math.log10(value));
}

/** Indices of those that nothing else beats at both: x as low as can be, y as high as can be; by x. */
export function paretoFront(points: readonly { x: number; y: number }[]): number[] {
  const order = points.map((_, index) => index).sort((a, b) => points[a]!.x - points[b]!.x || points[b]!.y - points[a]!.y);
  let best = -Infinity;
  return order.filter((index) => {
    const { y } = points[index]!;
    if (y <= best) return false;
    best = y;
    return true;
  });
}
