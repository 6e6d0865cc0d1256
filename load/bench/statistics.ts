/** What several runs found for one figure. */
export type Spread = {
  median: number
  min: number
  max: number
  /** How many of the runs had it: a knee that only some have found is no knee to rely on. */
  runs: number
}

/** What one run found, by name, each with its unit at its end. Null: not measured in this kind of run. */
export type Figures = Record<string, number | null>

/** Null when nothing was measured. The median of an even number is the mean of the two in the middle. */
export function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((one, other) => one - other)
  const at = (index: number) => sorted[index] as number
  const middle = (sorted.length - 1) / 2
  const median = (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2
  return {
    median: rounded(median),
    min: rounded(at(0)),
    max: rounded(at(sorted.length - 1)),
    runs: sorted.length,
  }
}

/** One spread per name; a figure that no run has measured is left out. */
export function spreadsOf(runs: readonly Figures[]): Record<string, Spread> {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run)))]
  return Object.fromEntries(
    names.flatMap((name): [string, Spread][] => {
      const spread = spreadOf(runs.flatMap((run) => run[name] ?? []))
      return spread === null ? [] : [[name, spread]]
    }),
  )
}

/** Four digits that count: the rest is noise, and long numbers are not read. */
export function rounded(value: number): number {
  return Number.isInteger(value) && Math.abs(value) >= 1000 ? value : Number(value.toPrecision(4))
}

/** By how much `values` grow per step of `at`: the slope of the straight line through them, by least squares. */
export function slopeOf(points: readonly { at: number; value: number }[]): number {
  const mean = (numbers: number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length
  const meanAt = mean(points.map(({ at }) => at))
  const meanValue = mean(points.map(({ value }) => value))
  let together = 0
  let spread = 0
  for (const { at, value } of points) {
    together += (at - meanAt) * (value - meanValue)
    spread += (at - meanAt) ** 2
  }
  return spread === 0 ? 0 : together / spread
}
