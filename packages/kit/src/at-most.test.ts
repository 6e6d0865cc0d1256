import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { atMost } from './at-most.ts'

test('never more at once than it may, in the order of arrival, and one that fails makes room', async () => {
  const inTurn = atMost(3)
  const begun: number[] = []
  let running = 0
  let most = 0
  const works = Array.from({ length: 20 }, (_, index) =>
    inTurn(async () => {
      begun.push(index)
      running += 1
      most = Math.max(most, running)
      await turn()
      running -= 1
      if (index % 4 === 0) throw new Error('failed')
      return index
    }),
  )
  const ended = await Promise.allSettled(works)
  expect(most).toBe(3)
  expect(begun).toEqual(Array.from({ length: 20 }, (_, index) => index))
  expect(ended.filter(({ status }) => status === 'rejected')).toHaveLength(5)
})
