/**
 * Looks for the knee: the highest rate with which the shop keeps up. The rate doubles until the shop falls behind, then
 * the gap between the best that was kept and the least that was not is halved until it is small.
 */
export type Tried = { perSecond: number; keepsUp: boolean }

export const FIRST_RATE = 500
/** Nobody offers more here: the load itself could not. */
export const RATE_MAX = 50_000
/** The knee is found when the least rate that was too much is above the best one by no more than this part of it. */
const PRECISION = 0.1
/** Rates are round numbers. */
const STEP = 50

/** The rate to try next; null when the knee is found. */
export function nextRate(tried: readonly Tried[]): number | null {
  const best = kneeOf(tried)
  const tooMuch = leastTooMuch(tried)
  if (tooMuch === null) {
    const next = best === null ? FIRST_RATE : best * 2
    return next > RATE_MAX ? null : next
  }
  const kept = best ?? 0
  if (tooMuch - kept <= Math.max(PRECISION * kept, STEP)) return null
  return Math.round((kept + tooMuch) / 2 / STEP) * STEP
}

/** The best rate that was kept below all that were too much; null when there is none. */
export function kneeOf(tried: readonly Tried[]): number | null {
  const limit = leastTooMuch(tried) ?? Number.POSITIVE_INFINITY
  const kept = tried.filter(({ perSecond, keepsUp }) => keepsUp && perSecond < limit)
  return kept.length === 0 ? null : Math.max(...kept.map(({ perSecond }) => perSecond))
}

function leastTooMuch(tried: readonly Tried[]): number | null {
  const tooMuch = tried.filter(({ keepsUp }) => !keepsUp).map(({ perSecond }) => perSecond)
  return tooMuch.length === 0 ? null : Math.min(...tooMuch)
}
