import { type AskForPage, askForPage, type Page } from '@tideshop/contracts/storefront'
import { type HttpParts, httpApp, jsonBody, statusOf } from '@tideshop/kit/http'
import { parse, Refusal } from '@tideshop/kit/refusal'
import type { Express } from 'express'
import { changeBasket, showBasket } from './basket.ts'
import { placeOrder, showCheckout } from './checkout.ts'
import { fileAt } from './files.ts'
import { problemPage } from './layout.ts'
import { cancelOrder, showOrder, showOrders } from './orders.ts'
import { showCategory, showGood, showHome, showSearch } from './shelves.ts'
import type { Shop, Show } from './shop.ts'

const shows: ReadonlyMap<string, Show> = new Map([
  ['GET /', showHome],
  ['GET /c/*', showCategory],
  ['GET /search', showSearch],
  ['GET /p/*', showGood],
  ['GET /basket', showBasket],
  ['POST /basket', changeBasket],
  ['GET /checkout', showCheckout],
  ['POST /checkout', placeOrder],
  ['GET /orders', showOrders],
  ['GET /orders/*', showOrder],
  ['POST /orders/*', cancelOrder],
])

export function storefrontApp(parts: HttpParts & Shop): Express {
  return httpApp(parts, (app) => {
    app.post('/page', jsonBody, async (request, response) => {
      response.json((await pageFor(parts, parse(askForPage, request.body))) satisfies Page)
    })
  })
}

async function pageFor(shop: Shop, asked: AskForPage): Promise<Page> {
  const file = fileAt(asked.path)
  if (file !== null) return file
  const [section = '', name, ...rest] = asked.path.split('/').slice(1)
  const address = name === undefined ? `/${section}` : `/${section}/*`
  const show = rest.length === 0 ? shows.get(`${asked.method} ${address}`) : undefined
  try {
    if (show === undefined) throw new Refusal('not-found', `there is no ${asked.path}`)
    return await show(shop, asked, name ?? '')
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown
    return problemPage(asked, statusOf[thrown.code], thrown.message)
  }
}
