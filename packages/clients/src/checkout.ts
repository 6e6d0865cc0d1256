import type { Checkout, OrderView, PlaceOrder } from '@tideshop/contracts/orders'
import type { Baskets } from './baskets.ts'
import type { Orders } from './orders.ts'

export type WantedCheckout = Checkout &
  Pick<PlaceOrder, 'id' | 'customerId' | 'idempotencyKey' | 'traceparent'>

/**
 * Orders what is in the customer's basket, and takes it out. What was ordered is taken out, not what the basket holds by
 * then; and after the order is placed: who dies or is cut off in between repeats it with the same key, gets the order that there is,
 * and takes out again. `keptS`: seconds for which the customer's id is to be kept.
 */
export async function checkOut(
  { baskets, orders }: { baskets: Baskets; orders: Orders },
  wish: WantedCheckout,
): Promise<{ order: OrderView; keptS: number }> {
  const { lines, voucherCodes } = await baskets.find(wish.customerId)
  const order = await orders.place({ ...wish, lines, voucherCodes })
  const ordered = order.lines.map(({ sku, quantity }) => ({ sku, quantity }))
  const { keptS } = await baskets.change(wish.customerId, { kind: 'take-ordered', lines: ordered })
  return { order, keptS }
}
