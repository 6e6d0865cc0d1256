/**
 * Group commit: while one batch is being written the next one gathers, so a lone caller waits for nobody and a
 * crowd shares one round trip. The bound on the queue is the bound on memory: beyond it a caller is refused.
 */
export type Batcher<T, R> = {
  /** Resolves with the result for this item; rejects when its batch did or the queue is full. */
  add: (item: T) => Promise<R>
}

type Waiting<T, R> = { item: T; resolve: (result: R) => void; reject: (error: unknown) => void }

export function batcher<T, R>(options: {
  batchMax: number
  queueMax: number
  /** One result per item, in their order. An `Error` as a result rejects that item alone. */
  flush: (items: readonly T[]) => Promise<readonly (R | Error)[]>
  full: () => Error
}): Batcher<T, R> {
  const queue: Waiting<T, R>[] = []
  let draining = false

  async function drain(): Promise<void> {
    // Callers that arrive in the same turn of the event loop share the first batch.
    await Promise.resolve()
    while (queue.length > 0) await settle(queue.splice(0, options.batchMax))
    draining = false
  }

  async function settle(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await options.flush(batch.map(({ item }) => item))
      batch.forEach(({ resolve, reject }, index) => {
        const result = results[index] as R | Error
        if (result instanceof Error) reject(result)
        else resolve(result)
      })
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  return {
    add(item) {
      if (queue.length >= options.queueMax) return Promise.reject(options.full())
      return new Promise<R>((resolve, reject) => {
        queue.push({ item, resolve, reject })
        if (draining) return
        draining = true
        void drain()
      })
    },
  }
}
