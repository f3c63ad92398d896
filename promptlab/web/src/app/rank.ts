/** Finding a thing by a few of its letters. */

/** Those that match, the best first; all, as they are, for no text. */
export function ranked<T>(items: readonly T[], text: string, nameOf: (item: T) => string): T[] {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [...items];
  return items
    .map((item, index) => ({ item, index, score: score(nameOf(item).toLowerCase(), wanted) }))
    .filter((each) => each.score > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .map((each) => each.item);
}

/** 0 where the letters are not all there in this order; more the earlier, closer together and nearer to words' beginnings. */
export function score(name: string, wanted: string): number {
  const whole = name.indexOf(wanted);
  if (whole >= 0) return 1000 - whole + (whole === 0 || name[whole - 1] === " " ? 500 : 0);
  let total = 0;
  let from = 0;
  for (const letter of wanted) {
    if (letter === " ") continue;
    const at = name.indexOf(letter, from);
    if (at < 0) return 0;
    total += (at === 0 || name[at - 1] === " " ? 12 : 2) - Math.min(at - from, 10) * 0.1;
    from = at + 1;
  }
  return Math.max(total, 0.1);
}
