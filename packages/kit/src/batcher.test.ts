import { expect, test } from 'vitest'
import { batcher } from './batcher.ts'

function gated(options: { batchMax?: number; queueMax?: number; waitMaxMs?: number; fail?: boolean } = {}) {
  const batches: number[][] = []
  let open = Promise.withResolvers<void>()
  const desk = batcher<number, number>({
    batchMax: options.batchMax ?? 100,
    queueMax: options.queueMax ?? 100,
    waitMaxMs: options.waitMaxMs ?? 10_000,
    refuse: () => new Error('too many'),
    async flush(items) {
      batches.push([...items])
      await open.promise
      if (options.fail) throw new Error('the database is away')
      return items.map((item) => (item < 0 ? new Error('negative') : item * 2))
    },
  })
  return { desk, batches, release: () => open.resolve(), close: () => (open = Promise.withResolvers()) }
}

test('callers that come together share one batch, those that come meanwhile the next', async () => {
  const { desk, batches, release } = gated()
  const first = [desk.add(1), desk.add(2)]
  await expect.poll(() => batches.length).toBe(1)
  const second = [desk.add(3), desk.add(4), desk.add(5)]
  release()
  expect(await Promise.all([...first, ...second])).toEqual([2, 4, 6, 8, 10])
  expect(batches).toEqual([
    [1, 2],
    [3, 4, 5],
  ])
})

test('an error for one item is not an error for its neighbours', async () => {
  const { desk, release } = gated()
  release()
  const results = await Promise.allSettled([desk.add(1), desk.add(-1), desk.add(2)])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

test('a batch that fails rejects everyone in it, and the next batch is tried', async () => {
  const { desk, batches, release } = gated({ fail: true, batchMax: 1 })
  release()
  const results = await Promise.allSettled([desk.add(1), desk.add(2)])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(batches).toHaveLength(2)
})

test('a full queue refuses instead of growing', async () => {
  const { desk, batches, release } = gated({ queueMax: 2, batchMax: 1 })
  const accepted = [desk.add(1)]
  await expect.poll(() => batches.length).toBe(1)
  accepted.push(desk.add(2), desk.add(3))
  await expect(desk.add(4)).rejects.toThrow('too many')
  release()
  expect(await Promise.all(accepted)).toEqual([2, 4, 6])
})

test('whoever waited too long behind a slow batch is refused, and who came just now is served', async () => {
  const { desk, batches, release } = gated({ waitMaxMs: 50 })
  const slow = desk.add(1)
  await expect.poll(() => batches.length).toBe(1)
  const late = desk.add(2)
  const since = performance.now()
  await expect.poll(() => performance.now() - since).toBeGreaterThan(60)
  const young = desk.add(3)
  release()
  await expect(late).rejects.toThrow('too many')
  expect(await Promise.all([slow, young])).toEqual([2, 6])
  expect(batches).toEqual([[1], [3]])
})

test('of a batch that failed all but the oldest may have another, in their order and before who came later', async () => {
  const oldestOf: number[] = []
  const batches: number[][] = []
  const failed = new Error('nobody answers')
  const desk = batcher<number, number>({
    batchMax: 100,
    queueMax: 100,
    waitMaxMs: 10_000,
    refuse: () => new Error('too many'),
    again: (error) => error === failed,
    async flush(items, oldestAt) {
      batches.push([...items])
      oldestOf.push(oldestAt)
      if (batches.length > 2) return items
      if (batches.length === 1) later = desk.add(4)
      throw failed
    },
  })
  let later: Promise<number> | undefined
  const told = await Promise.allSettled([1, 2, 3].map(desk.add))
  expect(told.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
  expect(await later).toBe(4)
  expect(batches).toEqual([
    [1, 2, 3],
    [2, 3, 4],
    [3, 4],
  ])
  expect(oldestOf).toEqual(oldestOf.toSorted((one, other) => one - other))
})
