/** Runs what it is given, at most `max` at once, in the order of arrival. */
export function atMost(max: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (running >= max) await new Promise<void>((begin) => waiting.push(begin))
    else running += 1
    try {
      return await work()
    } finally {
      // Whoever waits takes the place over, so that nobody comes in between.
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
