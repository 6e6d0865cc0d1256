import { type BasketView, type ChangedBasket, changeOfBasket, customerId } from '@tideshop/contracts/basket'
import { type HttpParts, httpApp, jsonBodyUpTo } from '@tideshop/kit/http'
import { parse } from '@tideshop/kit/refusal'
import type { Express } from 'express'
import { changeBasket } from './basket.ts'
import type { BasketStore } from './store.ts'

/** Bytes of a change. */
const CHANGE_MAX = 4096

export type BasketParts = HttpParts & {
  baskets: BasketStore
  /** Seconds after its last change until a basket is forgotten. */
  ttlS: number
}

/** Ids stand behind the `?` or in the body: in a path each would be a time series of its own in the sidecar's metrics. */
export function basketApp(parts: BasketParts): Express {
  const { baskets, ttlS } = parts
  return httpApp(parts, (app) => {
    app.get('/basket', async (request, response) => {
      const id = parse(customerId, request.query['customer'], 'customer')
      response.json((await baskets.read(id)) satisfies BasketView)
    })

    app.post('/basket/change', jsonBodyUpTo(CHANGE_MAX), async (request, response) => {
      const { customerId: id, change } = parse(changeOfBasket, request.body)
      const basket = await baskets.change(id, (current) => changeBasket(current, change))
      response.json({ basket, keptS: ttlS } satisfies ChangedBasket)
    })
  })
}
