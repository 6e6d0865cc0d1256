import { expect, test } from 'vitest'
import { changeAll, type Decision } from './aggregates.ts'
import type { Outgoing } from './event.ts'
import { memoryRows } from './memory.ts'
import { Refusal } from './refusal.ts'

type Counter = { sum: number }
type Add = { to: string; amount: number }

function add(current: Counter | null, { to, amount }: Add): Decision<Counter> {
  if (amount < 0) throw new Refusal('invalid', 'only upwards')
  const next = { sum: (current?.sum ?? 0) + amount }
  return { next, tell: [told(to, next.sum)] }
}

function told(to: string, sum: number): Outgoing {
  const event = {
    specversion: '1.0',
    id: `${to}:${sum}`,
    source: 't',
    type: 't.v1',
    subject: to,
    time: '',
    data: sum,
  } as const
  return { topic: 'sums', event }
}

const idOf = ({ to }: Add) => to

test('messages for one aggregate are decided one after the other and written once', async () => {
  const rows = memoryRows<Counter>()
  const results = await changeAll(
    rows,
    [1, 2, 3].map((amount) => ({ to: 'a', amount })),
    idOf,
    add,
  )
  expect(rows.all()).toEqual([{ id: 'a', version: 3, body: { sum: 6 } }])
  expect(results.map((result) => result.outcome === 'done' && result.tell[0]?.event.data)).toEqual([1, 3, 6])
})

test('a message that can never be right is dead and its neighbours are done', async () => {
  const rows = memoryRows<Counter>()
  const messages = [
    { to: 'a', amount: 1 },
    { to: 'a', amount: -1 },
    { to: 'a', amount: 2 },
  ]
  const results = await changeAll(rows, messages, idOf, add)
  expect(results.map(({ outcome }) => outcome)).toEqual(['done', 'dead', 'done'])
  expect(rows.all()).toMatchObject([{ body: { sum: 3 } }])
})

test('whoever loses a race reads again and decides on what the winner left', async () => {
  const rows = memoryRows<Counter>()
  let rivals = 3
  const contested = {
    ...rows,
    async write(writes: Parameters<typeof rows.write>[0]) {
      if (rivals > 0) {
        rivals -= 1
        await changeAll(rows, [{ to: 'a', amount: 100 }], idOf, add)
      }
      return rows.write(writes)
    },
  }
  await changeAll(
    contested,
    [
      { to: 'a', amount: 1 },
      { to: 'b', amount: 1 },
    ],
    idOf,
    add,
  )
  expect(rows.all()).toContainEqual({ id: 'a', version: 4, body: { sum: 301 } })
  expect(rows.all()).toContainEqual({ id: 'b', version: 1, body: { sum: 1 } })
})

test('whoever loses every race hands the message back instead of trying for ever', async () => {
  const rows = memoryRows<Counter>()
  const hopeless = { ...rows, write: async () => new Set(['a']) }
  expect(await changeAll(hopeless, [{ to: 'a', amount: 1 }], idOf, add)).toEqual([{ outcome: 'again' }])
})

test('a decision that changes nothing writes nothing and still tells', async () => {
  const rows = memoryRows<Counter>()
  await changeAll(rows, [{ to: 'a', amount: 1 }], idOf, add)
  const untouchable = {
    ...rows,
    write: async () => {
      throw new Error('written')
    },
  }
  const repeat = (current: Counter | null): Decision<Counter> => ({
    next: current as Counter,
    tell: [told('a', 1)],
  })
  expect(await changeAll(untouchable, [{ to: 'a', amount: 1 }], idOf, repeat)).toMatchObject([
    { outcome: 'done' },
  ])
})

test('a fault in a decision is not the fault of the message', async () => {
  const broken = () => {
    throw new TypeError('undefined is not a function')
  }
  await expect(changeAll(memoryRows<Counter>(), [{ to: 'a', amount: 1 }], idOf, broken)).rejects.toThrow(
    TypeError,
  )
})
