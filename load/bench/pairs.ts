import type { Spread } from './statistics.ts'

/** Two runs side by side, figure by figure. */
export type Pair = {
  name: string
  first: Spread
  second: Spread
  /** Of the medians, second to first; null when the first is 0. */
  ratio: number | null
  /** The ranges overlap: what differs may be chance. */
  overlap: boolean
}

export type Report = Record<string, unknown>

/** Every figure that both have. */
export function pairsOf(first: Report, second: Report): Pair[] {
  return Object.keys(first).flatMap((name): Pair[] => {
    const [one, other] = [first[name], second[name]]
    if (!isSpread(one) || !isSpread(other)) return []
    const ratio = one.median === 0 ? null : other.median / one.median
    const overlap = one.min <= other.max && other.min <= one.max
    return [{ name, first: one, second: other, ratio, overlap }]
  })
}

/** Settings and machine must be alike, else two figures are not about the same. Names what is not. */
export function differencesOf(first: Report, second: Report): string[] {
  return ['bench', 'plan', 'machine'].flatMap((part) => differencesIn(part, first[part], second[part]))
}

function differencesIn(path: string, one: unknown, other: unknown): string[] {
  if (!isObject(one) || !isObject(other)) {
    const [here, there] = [JSON.stringify(one), JSON.stringify(other)]
    return here === there ? [] : [`${path}: ${here} and ${there}`]
  }
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])]
  return keys.flatMap((key) => differencesIn(`${path}.${key}`, one[key], other[key]))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isSpread(value: unknown): value is Spread {
  return isObject(value) && ['median', 'min', 'max'].every((key) => typeof value[key] === 'number')
}
