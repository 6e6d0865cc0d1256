import { randomUUIDv7 } from 'node:crypto'
import type { CreateOperation } from '@tideshop/contracts/operations'
import type { Invoke } from '@tideshop/kit/invoke'
import { Refusal } from '@tideshop/kit/refusal'
import { expect, test } from 'vitest'
import { operationsThrough } from '../src/operations.ts'

type Call = Parameters<Invoke>
type Asked = { operations: CreateOperation[] }

function wish(name = 'hans'): CreateOperation {
  return { id: randomUUIDv7(), kind: 'user-create', body: { name }, traceparent: 'trace' }
}

function view({ id, body }: CreateOperation) {
  const state = 'pending'
  return { uuid: id, type: 'user-create', state, data: body, response: { state } }
}

/** A service that answers with `answer`, and the calls it got. */
function service(answer: (call: Call) => { status: number; said: object } | Promise<never>, wakeWaitMs = 0) {
  const calls: Call[] = []
  const operations = operationsThrough(async (...call) => {
    calls.push(call)
    return answer(call)
  }, wakeWaitMs)
  return { operations, calls }
}

function acceptAll([, , , body]: Call) {
  return {
    status: 200,
    said: { answers: (body as Asked).operations.map((one) => ({ operation: view(one) })) },
  }
}

test('callers who come while a call is under way share the next', async () => {
  const { operations, calls } = service(acceptAll)
  const wishes = ['a', 'b', 'c'].map(wish)
  const alone = operations.create(wish('first'))
  await expect.poll(() => calls.length).toBe(1)
  expect(await Promise.all(wishes.map(operations.create))).toEqual(wishes.map(view))
  await alone
  const sizes = calls.map(([, , , body]) => (body as Asked).operations.length)
  expect(sizes).toEqual([1, 3])
  expect(calls.every(([, method, path]) => method === 'POST' && path === 'operation/create')).toBe(true)
})

test('what is refused to one is given to its neighbour', async () => {
  const refusal = { code: 'key-reused', message: 'this idempotency key belongs to another' }
  const { operations } = service(([, , , body]) => {
    const [first] = (body as Asked).operations as [CreateOperation]
    return { status: 200, said: { answers: [{ operation: view(first) }, { refusal }] } }
  })
  const [good, bad] = await Promise.allSettled([
    operations.create(wish('hans')),
    operations.create(wish('greta')),
  ])
  expect(good).toMatchObject({ status: 'fulfilled', value: { data: { name: 'hans' } } })
  expect(bad).toMatchObject({ status: 'rejected', reason: { name: 'Refusal', ...refusal } })
})

test('ids are asked for outside the path, where each would become a time series of its own', async () => {
  const { operations, calls } = service(() => ({
    status: 200,
    said: { answers: ids.map((id) => ({ refusal: { code: 'not-found', message: `no ${id}` } })) },
  }))
  const ids = [randomUUIDv7(), randomUUIDv7()]
  const found = await Promise.allSettled(ids.map(operations.find))
  expect(found.map((one) => one.status === 'rejected' && one.reason.code)).toEqual(['not-found', 'not-found'])
  expect(calls.map((call) => call.slice(0, 3))).toEqual([
    ['operations', 'GET', `operation/get?uuid=${ids.join(',')}`],
  ])
})

test.each([
  ['a refusal of all', 503, { title: 'unavailable', status: 503, detail: 'the broker is away' }, 'Refusal'],
  ['a fault', 500, { title: 'internal', status: 500 }, 'Error'],
  ['an answer too few', 200, { answers: [] }, 'Error'],
  ['no answers at all', 200, {}, 'ZodError'],
])('%s is everybody’s', async (_, status, said, name) => {
  const { operations } = service(() => ({ status, said }))
  const both = await Promise.allSettled([operations.create(wish()), operations.create(wish())])
  expect(both).toMatchObject([
    { status: 'rejected', reason: { name } },
    { status: 'rejected', reason: { name } },
  ])
})

test('who finds operations asleep is served when it is awake, and asks for the same operation again', async () => {
  const asleep = () => Promise.reject(new Refusal('uncertain', 'operations did not answer'))
  const { operations, calls } = service((call) => (calls.length < 3 ? asleep() : acceptAll(call)), 5000)
  const hans = wish()
  expect(await operations.create(hans)).toEqual(view(hans))
  expect(calls.map(([, , , body]) => (body as Asked).operations)).toEqual([[hans], [hans], [hans]])
})

test('a bad moment of operations is waited for, an outage is not', async () => {
  const busy = {
    status: 503,
    said: { title: 'uncertain', status: 503, detail: 'the database did not answer' },
  }
  const moment = service((call) => (moment.calls.length < 3 ? busy : acceptAll(call)), 5000)
  const hans = wish()
  expect(await moment.operations.create(hans)).toEqual(view(hans))
  const outage = service(() => busy, 300)
  await expect(outage.operations.create(wish())).rejects.toMatchObject({ code: 'uncertain' })
})

test('who is not answered while waiting is refused', async () => {
  const { operations, calls } = service(() => Promise.reject(new Refusal('uncertain', 'no answer')), 300)
  await expect(operations.create(wish())).rejects.toMatchObject({ code: 'uncertain' })
  expect(calls.length).toBeGreaterThan(1)
})

test('who comes while another waits for a sleeper waits no longer than that one did', async () => {
  const { operations, calls } = service(() => Promise.reject(new Refusal('uncertain', 'no answer')), 1000)
  const first = waited(operations.create(wish('first')))
  await expect.poll(() => calls.length).toBe(2)
  const others = [wish('second'), wish('third')].map((one) => waited(operations.create(one)))
  // A call and the pause before it come on top; two waits, one after the other, are far more.
  for (const ms of await Promise.all([first, ...others])) expect(ms).toBeLessThan(1500)
})

test('who came late to a call that nobody answered is asked for again', async () => {
  let awake = false
  const asleep = () => Promise.reject(new Refusal('uncertain', 'no answer'))
  const { operations, calls } = service((call) => (awake ? acceptAll(call) : asleep()), 600)
  const first = operations.create(wish('first'))
  await expect.poll(() => calls.length).toBe(3)
  const second = wish('second')
  const served = operations.create(second)
  await expect(first).rejects.toMatchObject({ code: 'uncertain' })
  awake = true
  expect(await served).toEqual(view(second))
})

/** Milliseconds until it is over, however it ends. */
async function waited(call: Promise<unknown>): Promise<number> {
  const began = performance.now()
  await call.catch(() => undefined)
  return performance.now() - began
}
