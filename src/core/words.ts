/** Lists, counts and sizes in a sentence: one way for all that speaks. */

/** As many names as a sentence holds. */
const LIST_MAX = 4;

/** `a, b and c`, or `a, b, c, d and 12 more`; `nothing` for an empty list. */
export function listed(names: readonly string[], most: number = LIST_MAX): string {
  if (names.length === 0) return 'nothing';
  if (names.length === 1) return names[0] as string;
  if (names.length <= most) return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}

/** `1 pair`, `3 pairs`, `2 memories`, `2 fixes`. */
export function plural(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : manyOf(noun)}`;
}

/** The plural of a noun by the rules that have no exceptions here: -y after a consonant, and what hisses. */
function manyOf(noun: string): string {
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  return /(?:s|x|ch|sh)$/.test(noun) ? `${noun}es` : `${noun}s`;
}

const UNITS: readonly string[] = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `36 B`, `256 MiB`, `1.5 GiB`: the largest unit that leaves at least one; one digit after the point where it is no whole number. */
export function sizeWords(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** Items gathered by a key, in the order in which the keys first occur: what one sentence can say together. */
export function groupedBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Item[][] {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
