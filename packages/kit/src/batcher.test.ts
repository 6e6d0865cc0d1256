import { expect, test } from 'vitest'
import { batcher } from './batcher.ts'

function gated(options: { batchMax?: number; queueMax?: number; fail?: boolean } = {}) {
  const batches: number[][] = []
  let open = Promise.withResolvers<void>()
  const desk = batcher<number, number>({
    batchMax: options.batchMax ?? 100,
    queueMax: options.queueMax ?? 100,
    full: () => new Error('full'),
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
  await expect(desk.add(4)).rejects.toThrow('full')
  release()
  expect(await Promise.all(accepted)).toEqual([2, 4, 6])
})
