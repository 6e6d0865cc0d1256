import { randomUUIDv7 } from 'node:crypto'
import type { BasketChange } from '@tideshop/contracts/basket'
import { quietParts } from '@tideshop/kit/test/parts'
import { stateSidecar } from '@tideshop/kit/test/state-sidecar'
import fc from 'fast-check'
import request from 'supertest'
import { expect, test } from 'vitest'
import { basketApp } from '../src/app.ts'
import { changeBasket } from '../src/basket.ts'
import { daprBaskets } from '../src/store.ts'

const TTL_S = 3600

function service() {
  const sidecar = stateSidecar()
  const baskets = daprBaskets(sidecar, TTL_S)
  const app = basketApp({ ...quietParts('basket'), baskets, ttlS: TTL_S })
  const change = (customerId: unknown, wish: unknown) =>
    request(app).post('/basket/change').send({ customerId, change: wish })
  const look = (customer: string) => request(app).get('/basket').query({ customer })
  return { app, sidecar, change, look }
}

function put(sku: string, quantity: number): BasketChange {
  return { kind: 'put-line', sku, quantity }
}

test('what a customer puts in is there the next time, and in nobody else’s basket', async () => {
  const { change, look } = service()
  const [one, other] = [randomUUIDv7(), randomUUIDv7()]
  expect((await look(one)).body).toEqual({ lines: [], voucherCodes: [] })
  const { status, body } = await change(one, put('LMP-0101', 2))
  expect({ status, body }).toEqual({
    status: 200,
    body: { basket: { lines: [{ sku: 'LMP-0101', quantity: 2 }], voucherCodes: [] }, keptS: TTL_S },
  })
  expect((await look(one)).body).toEqual(body.basket)
  expect((await look(other)).body.lines).toEqual([])
})

test('each change says anew how long the basket is kept, also one that changes nothing', async () => {
  const { change, sidecar } = service()
  const id = randomUUIDv7()
  for (const wish of [put('LMP-0101', 2), put('LMP-0101', 2), { kind: 'clear' }]) {
    const etag = sidecar.items.get(id)?.etag
    await change(id, wish)
    expect(sidecar.items.get(id)?.ttlInSeconds).toBe(String(TTL_S))
    expect(sidecar.items.get(id)?.etag).not.toBe(etag)
  }
})

test.each([
  [{ kind: 'put-line', sku: 'LMP-0101', quantity: 0 }, 'change.quantity'],
  [{ kind: 'put-line', sku: 'LMP-0101', quantity: 1001 }, 'change.quantity'],
  [{ kind: 'put-line', sku: 'x', quantity: 1 }, 'change.sku'],
  [{ kind: 'remove-line' }, 'change.sku'],
  [{ kind: 'put-vouchers', voucherCodes: ['a', 'a'] }, 'change.voucherCodes'],
  [{ kind: 'double' }, 'change.kind'],
  [undefined, 'change'],
])('%j is refused, and told where', async (wish, path) => {
  const { change, sidecar } = service()
  const { status, body } = await change(randomUUIDv7(), wish)
  expect({ status, path: body.errors[0].path }).toEqual({ status: 400, path })
  expect(sidecar.items.size).toBe(0)
})

test('who is no customer, and who sends too much, is refused', async () => {
  const { change, look } = service()
  expect((await look('somebody')).status).toBe(400)
  expect((await change('somebody', put('LMP-0101', 1))).body.errors[0].path).toBe('customerId')
  const voucherCodes = Array.from({ length: 500 }, (_, nth) => `CODE-${nth}`)
  expect((await change(randomUUIDv7(), { kind: 'put-vouchers', voucherCodes })).status).toBe(413)
})

test('a full basket is 409', async () => {
  const { change, sidecar } = service()
  const id = randomUUIDv7()
  for (let nth = 0; nth < 100; nth += 1) expect((await change(id, put(`AA-${nth}`, 1))).status).toBe(200)
  const { status, body } = await change(id, put('AA-100', 1))
  expect({ status, title: body.title }).toEqual({ status: 409, title: 'conflict' })
  // Some 4 KiB at most: what each change reads and writes.
  expect(JSON.stringify(sidecar.items.get(id)?.value).length).toBeLessThan(8 * 1024)
})

test('a store that cannot be read is 503, and one that does not say whether it wrote is 503 and uncertain', async () => {
  const { change, look, sidecar } = service()
  sidecar.away.add('POST')
  const wrote = await change(randomUUIDv7(), put('LMP-0101', 1))
  expect({ status: wrote.status, title: wrote.body.title }).toEqual({ status: 503, title: 'uncertain' })
  sidecar.away.add('GET')
  const read = await look(randomUUIDv7())
  expect({ status: read.status, title: read.body.title }).toEqual({ status: 503, title: 'unavailable' })
})

test('two tabs that change a basket at once both have their way, however their requests to the store interleave', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 5 }), async (scheduler, times) => {
      const baskets = daprBaskets(
        stateSidecar(() => scheduler.schedule(Promise.resolve())),
        TTL_S,
      )
      const id = randomUUIDv7()
      const tab = async (letters: string) => {
        for (let nth = 0; nth < times; nth += 1) {
          await baskets.change(id, (current) => changeBasket(current, put(`${letters}-${nth}`, nth + 1)))
        }
      }
      await scheduler.waitFor(Promise.all([tab('AA'), tab('BB')]))
      const { lines } = await scheduler.waitFor(baskets.read(id))
      for (const letters of ['AA', 'BB']) {
        expect(lines.filter(({ sku }) => sku.startsWith(letters))).toEqual(
          Array.from({ length: times }, (_, nth) => ({ sku: `${letters}-${nth}`, quantity: nth + 1 })),
        )
      }
    }),
    { numRuns: 30 },
  )
})

test('who is always too slow is sent away, and not for ever at it', async () => {
  const sidecar = stateSidecar()
  const id = randomUUIDv7()
  const baskets = daprBaskets(sidecar, TTL_S)
  let decided = 0
  const answer = baskets.change(id, (current) => {
    decided += 1
    sidecar.items.set(id, { value: current, etag: String(decided), ttlInSeconds: undefined })
    return current
  })
  await expect(answer).rejects.toMatchObject({ code: 'unavailable' })
  expect(decided).toBe(10)
})
