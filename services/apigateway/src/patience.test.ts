import { Refusal } from '@tideshop/kit/refusal'
import { expect, test } from 'vitest'
import { patienceFor } from './patience.ts'

function asleep(): never {
  throw new Refusal('unavailable', 'nobody answers')
}

test('whoever finds nobody asks again until somebody answers', async () => {
  let asked = 0
  const answer = await patienceFor(5000)(async () => {
    asked += 1
    return asked < 3 ? asleep() : 'here'
  })
  expect({ answer, asked }).toEqual({ answer: 'here', asked: 3 })
})

test('who may not wait is refused at once', async () => {
  let asked = 0
  const answer = patienceFor(0)(async () => {
    asked += 1
    return asleep()
  })
  await expect(answer).rejects.toMatchObject({ code: 'unavailable' })
  expect(asked).toBe(1)
})

test.each([new Refusal('invalid', 'that is wrong'), new Error('that is broken')])(
  '%s is an answer',
  async (no) => {
    let asked = 0
    const answer = patienceFor(5000)(async () => {
      asked += 1
      throw no
    })
    await expect(answer).rejects.toBe(no)
    expect(asked).toBe(1)
  },
)

test('a hundred wait at once, and the others are refused before them', async () => {
  const patiently = patienceFor(100)
  const told: number[] = []
  const callers = Array.from({ length: 120 }, (_, nth) =>
    patiently(async () => asleep()).catch(() => told.push(nth)),
  )
  await Promise.all(callers)
  const [first] = told
  expect(told.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, nth) => 100 + nth))
  expect({ first, all: told.length }).toEqual({ first: 100, all: 120 })
})
