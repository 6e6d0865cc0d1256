/**
 * Group commit: while one batch is under way the next one gathers, so a lone caller waits for nobody and a crowd
 * shares one round trip. A queue that is full, or not served in time, refuses: nothing was done for that caller.
 */
export type Batcher<T, R> = {
  /** Resolves with the result for this item; rejects when its batch did, or when it had no place in one. */
  add: (item: T) => Promise<R>
}

type Waiting<T, R> = {
  item: T
  since: number
  resolve: (result: R) => void
  reject: (error: unknown) => void
}

export function batcher<T, R>(options: {
  batchMax: number
  queueMax: number
  /** Milliseconds in the queue, looked at when a batch leaves. */
  waitMaxMs: number
  /**
   * One result per item, in their order. An `Error` as a result rejects that item alone. `oldestAt`: when the first of them came, by
   * `performance.now()`.
   */
  flush: (items: readonly T[], oldestAt: number) => Promise<readonly (R | Error)[]>
  /** Whether an item gets another batch when its own failed, by the milliseconds for which it waits already. The oldest never does. */
  again?: (error: unknown, waitedMs: number) => boolean
  refuse: () => Error
}): Batcher<T, R> {
  const { again = () => false } = options
  const queue: Waiting<T, R>[] = []
  let draining = false

  async function drain(): Promise<void> {
    // Callers that arrive in the same turn of the event loop share the first batch.
    await Promise.resolve()
    while (queue.length > 0) {
      turnAwayTheLate()
      await settle(queue.splice(0, options.batchMax))
    }
    draining = false
  }

  /** The queue is in the order of arrival. */
  function turnAwayTheLate(): void {
    const oldest = performance.now() - options.waitMaxMs
    const inTime = queue.findIndex(({ since }) => since >= oldest)
    for (const { reject } of queue.splice(0, inTime === -1 ? queue.length : inTime)) reject(options.refuse())
  }

  async function settle(batch: readonly Waiting<T, R>[]): Promise<void> {
    const [oldest] = batch
    if (oldest === undefined) return
    try {
      const results = await options.flush(
        batch.map(({ item }) => item),
        oldest.since,
      )
      batch.forEach(({ resolve, reject }, index) => {
        const result = results[index] as R | Error
        if (result instanceof Error) reject(result)
        else resolve(result)
      })
    } catch (error) {
      fail(batch, error)
    }
  }

  function fail(batch: readonly Waiting<T, R>[], error: unknown): void {
    const now = performance.now()
    const staying = new Set(batch.slice(1).filter(({ since }) => again(error, now - since)))
    queue.unshift(...staying)
    for (const one of batch) if (!staying.has(one)) one.reject(error)
  }

  return {
    add(item) {
      if (queue.length >= options.queueMax) return Promise.reject(options.refuse())
      return new Promise<R>((resolve, reject) => {
        queue.push({ item, since: performance.now(), resolve, reject })
        if (draining) return
        draining = true
        void drain()
      })
    },
  }
}
