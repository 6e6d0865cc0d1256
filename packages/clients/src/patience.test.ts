import { Refusal } from '@tideshop/kit/refusal'
import { expect, test } from 'vitest'
import { patienceFor } from './patience.ts'

/** A service that answers once it is awake, and how often it was asked. */
function sleeper() {
  const calls: string[] = []
  const state = { awake: false }
  const ask = (who: string) => async () => {
    calls.push(who)
    if (!state.awake) throw new Refusal('unavailable', 'nobody is there')
    return who
  }
  return { calls, state, ask }
}

test('a crowd that finds a service asleep is served, and one asks again for all', async () => {
  const { calls, state, ask } = sleeper()
  const patiently = patienceFor<string>(5000)
  const crowd = Array.from({ length: 200 }, (_, index) => `caller ${index}`)
  const answers = Promise.all(crowd.map((who) => patiently(ask(who))))
  await expect.poll(() => calls.length).toBeGreaterThan(crowd.length)
  const late = Promise.all(['late', 'later'].map((who) => patiently(ask(who))))
  const asleep = calls.length
  expect(new Set(calls.slice(crowd.length)).size).toBe(1)
  state.awake = true
  expect(await answers).toEqual(crowd)
  expect(await late).toEqual(['late', 'later'])
  // Everybody once more, and at most one try that was under way.
  expect(calls.length - asleep).toBeLessThanOrEqual(crowd.length + 3)
})

test('who has waited long enough is refused with what was said last', async () => {
  const { ask } = sleeper()
  const patiently = patienceFor<string>(400)
  const crowd = ['a', 'b', 'c'].map((who) => patiently(ask(who)))
  for (const one of await Promise.allSettled(crowd)) {
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } })
  }
})

test('one who gives up leaves it to the next to ask again', async () => {
  const { calls, state, ask } = sleeper()
  const patiently = patienceFor<string>(700)
  const first = patiently(ask('first'))
  await expect.poll(() => calls.length).toBeGreaterThan(2)
  const second = patiently(ask('second'))
  await expect(first).rejects.toMatchObject({ code: 'unavailable' })
  state.awake = true
  expect(await second).toBe('second')
})

test('a fault and any other refusal are answers', async () => {
  const patiently = patienceFor<string>(5000)
  for (const error of [new Error('broken'), new Refusal('not-found', 'no such thing')]) {
    let calls = 0
    const asked = patiently(() => {
      calls += 1
      return Promise.reject(error)
    })
    await expect(asked).rejects.toBe(error)
    expect(calls).toBe(1)
  }
})

test('who may not wait is refused at once', async () => {
  const { calls, ask } = sleeper()
  await expect(patienceFor<string>(0)(ask('hans'))).rejects.toMatchObject({ code: 'unavailable' })
  expect(calls).toEqual(['hans'])
})

test('two thousand wait at once, and who comes after them is refused before them', async () => {
  const { ask } = sleeper()
  const patiently = patienceFor<string>(300)
  const told: string[] = []
  const callers = Array.from({ length: 2010 }, (_, nth) =>
    patiently(ask(String(nth))).catch(({ message }) => told.push(message)),
  )
  await Promise.all(callers)
  expect(told).toHaveLength(callers.length)
  expect(told.indexOf('nobody is there')).toBe(10)
  expect(new Set(told.slice(0, 10))).toEqual(new Set(['too many callers wait for it']))
})
