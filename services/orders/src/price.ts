import type { Prices } from '@tideshop/clients/prices'
import type { OrderStockResponse } from '@tideshop/contracts/catalog'
import type { QuoteBody } from '@tideshop/contracts/pricing'
import { Refusal } from '@tideshop/kit/refusal'
import type { Order } from './order.ts'
import type { Price } from './saga.ts'

type Reserved = Extract<OrderStockResponse['data'], { answer: 'reserved' }>

/** Rejects where there is no answer for now, and with a conflict where catalog spoke of other goods. */
export async function askPrice(
  prices: Prices,
  order: Order,
  reserved: Reserved,
  traceparent: string,
): Promise<Price> {
  const question = questionOf(order, reserved)
  try {
    return { quote: await prices.quote(question, traceparent) }
  } catch (error) {
    if (error instanceof Refusal && error.code === 'invalid') return { refused: error.message }
    throw error
  }
}

/**
 * What `pricing` is to be asked of an order: what catalog says that a piece costs, and the offers of the time when it was placed.
 * So it is the same price however late, and however often, it is asked for.
 */
export function questionOf({ id, lines, voucherCodes, placedAt }: Order, reserved: Reserved): QuoteBody {
  const priceOf = new Map(reserved.lines.map(({ sku, unitPriceCents }) => [sku, unitPriceCents]))
  const priced = lines.map(({ sku, quantity }) => {
    const unitPriceCents = priceOf.get(sku)
    if (unitPriceCents === undefined) throw new Refusal('conflict', `order ${id} was reserved without ${sku}`)
    return { sku, quantity, unitPriceCents }
  })
  return { lines: priced, voucherCodes, at: placedAt }
}
