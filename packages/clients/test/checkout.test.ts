import { randomUUIDv7 } from 'node:crypto'
import type { BasketChange, BasketView } from '@tideshop/contracts/basket'
import type { OrderView, PlaceOrder } from '@tideshop/contracts/orders'
import { Refusal } from '@tideshop/kit/refusal'
import { expect, test } from 'vitest'
import { checkOut, type WantedCheckout } from '../src/checkout.ts'
import { askNobody } from './nobody.ts'

const wish: WantedCheckout = {
  id: randomUUIDv7(),
  customerId: randomUUIDv7(),
  contact: { name: 'Hans', address: ['Am Kai 1'] },
  card: '4242424242424242',
  idempotencyKey: 'k',
  traceparent: '',
}
const basket: BasketView = { lines: [{ sku: 'LMP-0101', quantity: 2 }], voucherCodes: ['TIDE'] }
const ordered = {
  ...wish,
  lines: [{ sku: 'LMP-0101', quantity: 2, name: 'Lantern' }],
} as unknown as OrderView

/** What was said, in its order. */
function parts(place: () => Promise<OrderView>) {
  const said: [string, PlaceOrder | BasketChange][] = []
  return {
    said,
    baskets: {
      find: async () => basket,
      async change(_: string, change: BasketChange) {
        said.push(['basket', change])
        return { basket, keptS: 60 }
      },
    },
    orders: {
      ...askNobody.orders,
      place(order: PlaceOrder) {
        said.push(['orders', order])
        return place()
      },
    },
  }
}

test('what is in the basket is ordered, and then what was ordered is taken out', async () => {
  const { said, ...through } = parts(async () => ordered)
  expect(await checkOut(through, wish)).toEqual({ order: ordered, keptS: 60 })
  expect(said).toEqual([
    ['orders', { ...wish, ...basket }],
    ['basket', { kind: 'take-ordered', lines: basket.lines }],
  ])
})

test('what was not ordered stays in the basket', async () => {
  const { said, ...through } = parts(() => Promise.reject(new Refusal('conflict', 'it costs more')))
  await expect(checkOut(through, wish)).rejects.toMatchObject({ code: 'conflict' })
  expect(said).toHaveLength(1)
})
