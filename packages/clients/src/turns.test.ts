import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Turns } from './turns.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const SLOW_MS = 500
/** After these a caller has given up. */
const GIVEN_UP_MS = 1000
const CAPACITY_PER_S = 200
const WITHIN_MS = 10_000

type Call = () => Promise<void>
const passed = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Works at one call after the other, also at those whose callers have given up. */
function lonelyWorker(): Call {
  let freeAt = 0
  return async () => {
    const now = performance.now()
    freeAt = Math.max(now, freeAt) + 1000 / CAPACITY_PER_S
    await passed(Math.min(freeAt - now, GIVEN_UP_MS))
    if (freeAt - now > GIVEN_UP_MS) throw new Error('given up')
  }
}

/** Good answers to so many callers who ask again and again, for so many seconds. */
async function answered(callers: number, seconds: number, ask: Call): Promise<number> {
  let good = 0
  const until = performance.now() + seconds * 1000
  const asks = async () => {
    while (performance.now() < until) {
      const isGood = await ask().then(
        () => true,
        () => false,
      )
      if (isGood && performance.now() < until) good += 1
    }
  }
  const all = Promise.all(Array.from({ length: callers }, asks))
  await vi.advanceTimersByTimeAsync((seconds + 20) * 1000)
  await all
  return good
}

test('who is asked for more than he can does nearly as much as he can, and hardly anything without turns', async () => {
  const seconds = 20
  const turns = new Turns(SLOW_MS)
  const ask = lonelyWorker()
  const withTurns = await answered(1000, seconds, () => turns.take(ask, WITHIN_MS))
  expect(withTurns).toBeGreaterThan(0.95 * CAPACITY_PER_S * seconds)
  expect(await answered(1000, seconds, lonelyWorker())).toBeLessThan(0.15 * CAPACITY_PER_S * seconds)
})

test('who can answer many at once gets many', async () => {
  const turns = new Turns(SLOW_MS)
  let underWay = 0
  let most = 0
  const ask = async () => {
    underWay += 1
    most = Math.max(most, underWay)
    await passed(50)
    underWay -= 1
  }
  await answered(300, 30, () => turns.take(ask, WITHIN_MS))
  expect(most).toBeGreaterThan(200)
})

test('who is always slow gets some all the same', async () => {
  const turns = new Turns(SLOW_MS)
  const good = await answered(100, 60, () => turns.take(() => passed(900), WITHIN_MS))
  expect(good).toBeGreaterThan(60 * 8)
})

test('turns come in the order of arrival, and not to who has waited long enough', async () => {
  const turns = new Turns(SLOW_MS)
  const told: string[] = []
  const callers = Array.from({ length: 200 }, (_, nth) =>
    turns
      .take(() => passed(100), nth % 2 === 0 ? 150 : WITHIN_MS)
      .then(
        () => told.push(`served ${nth}`),
        ({ code }) => told.push(`${code} ${nth}`),
      ),
  )
  await vi.advanceTimersByTimeAsync(1000)
  await Promise.all(callers)
  // The first 64 at once, as many when those are answered; who comes then with an even number had no more than 150 ms.
  const served = told.filter((line) => line.startsWith('served')).map((line) => Number(line.split(' ')[1]))
  expect(served).toEqual(served.toSorted((one, other) => one - other))
  const inTime = Array.from({ length: 200 }, (_, nth) => nth).filter((nth) => nth < 128 || nth % 2 === 1)
  expect(served).toEqual(inTime)
  expect(told.filter((line) => line.startsWith('unavailable'))).toHaveLength(36)
})

test('two thousand wait, and who comes after them is refused at once', async () => {
  const turns = new Turns(SLOW_MS)
  const refused: number[] = []
  const callers = Array.from({ length: 64 + 2000 + 5 }, (_, nth) =>
    turns.take(() => passed(1), WITHIN_MS).catch(() => refused.push(nth)),
  )
  await vi.advanceTimersByTimeAsync(0)
  expect(refused).toEqual([2064, 2065, 2066, 2067, 2068])
  await vi.advanceTimersByTimeAsync(1000)
  await Promise.all(callers)
  expect(refused).toHaveLength(5)
})
