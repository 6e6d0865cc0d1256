import {
  type BasketChange,
  type BasketView,
  basketView,
  type ChangedBasket,
  type ChangeOfBasket,
  changedBasket,
  type PricedBasket,
} from '@tideshop/contracts/basket'
import type { GoodView } from '@tideshop/contracts/catalog'
import type { Invoke } from '@tideshop/kit/invoke'
import { Refusal } from '@tideshop/kit/refusal'
import { answerIn } from './answer.ts'
import type { Catalog } from './catalog.ts'
import { patient } from './patience.ts'
import type { Prices } from './prices.ts'

/** What the door asks of `basket`. Each rejects with the refusal that its caller should read. */
export type Baskets = {
  find: (customerId: string) => Promise<BasketView>
  change: (customerId: string, change: BasketChange) => Promise<ChangedBasket>
}

/** `wakeWaitMs`: how long a call that nobody answers is repeated. A change may come twice: it says how something shall be. */
export function basketsThrough(invoke: Invoke, wakeWaitMs: number): Baskets {
  const ask = patient(invoke, wakeWaitMs)
  return {
    find: async (customerId) =>
      answerIn('basket', basketView, await ask('basket', 'GET', `basket?customer=${customerId}`)),
    async change(customerId, change) {
      const wish: ChangeOfBasket = { customerId, change }
      const answer = await ask('basket', 'POST', 'basket/change', wish).catch((thrown) => {
        throw isUncertain(thrown) ? new Refusal('uncertain', 'basket did not answer: say it again') : thrown
      })
      return answerIn('basket', changedBasket, answer)
    },
  }
}

/** As it is sold now. A good that catalog has no more is shown without a price; whoever keeps it in the basket should see that. */
export async function priced(
  basket: BasketView,
  { catalog, prices }: { catalog: Catalog; prices: Prices },
  traceparent: string,
): Promise<PricedBasket> {
  const { voucherCodes } = basket
  const goods = await goodsIn(basket, catalog)
  const lines = basket.lines.map((line) => {
    const good = goods.get(line.sku)
    return good === undefined ? { ...line, available: false } : { ...line, available: true, good }
  })
  const sold = basket.lines.flatMap((line) => {
    const good = goods.get(line.sku)
    return good === undefined ? [] : { ...line, unitPriceCents: unitPriceCents(good) }
  })
  const quote = sold.length === 0 ? null : await prices.quote({ lines: sold, voucherCodes }, traceparent)
  return { lines, voucherCodes, quote }
}

async function goodsIn({ lines }: BasketView, catalog: Catalog): Promise<Map<string, GoodView>> {
  if (lines.length === 0) return new Map()
  const { goods } = await catalog.named(lines.map(({ sku }) => sku))
  return new Map(goods.map((good) => [good.sku, good]))
}

function unitPriceCents({ priceCents, sale }: GoodView): number {
  return sale?.priceCents ?? priceCents
}

function isUncertain(thrown: unknown): boolean {
  return thrown instanceof Refusal && thrown.code === 'uncertain'
}
