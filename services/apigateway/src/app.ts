import { priced } from '@tideshop/clients/baskets'
import type { Operations } from '@tideshop/clients/operations'
import type { Prices } from '@tideshop/clients/prices'
import { type BasketChange, type BasketView, putLine, putVouchers } from '@tideshop/contracts/basket'
import { listGoods, listSales, sku } from '@tideshop/contracts/catalog'
import {
  type CreateOperation,
  idempotencyKey,
  operationId,
  operationKinds,
} from '@tideshop/contracts/operations'
import { quoteBody } from '@tideshop/contracts/pricing'
import { type HttpParts, httpApp, jsonBody } from '@tideshop/kit/http'
import { parse, Refusal } from '@tideshop/kit/refusal'
import { continueTrace } from '@tideshop/kit/trace'
import express, { type Express, type Request, type Response } from 'express'
import type { Accounts } from './accounts.ts'
import { type AdminParts, administrate } from './admin.ts'
import { docsAssets, docsPage } from './docs.ts'
import { type DoorLimits, defaultLimits, limitChanges } from './limits.ts'
import { openApi } from './openapi.ts'
import { type OrderParts, takeOrders } from './orders.ts'
import { errorPage, type PageParts, showPages } from './pages.ts'
import { securityHeaders } from './security.ts'
import { keepSessions } from './session.ts'
import { duringMaintenance, showSettings } from './settings.ts'
import { customerOf, lookWhoAsks, remember } from './who.ts'

/** Seconds for which a browser keeps the picture of a good. */
const PICTURE_S = 3600

export type GatewayParts = HttpParts &
  PageParts &
  OrderParts &
  AdminParts & {
    operations: Operations
    prices: Prices
    /** Without an issuer all are guests. */
    accounts?: Accounts
    limits?: DoorLimits
    /** Proxies before the door that say for whom they ask. By itself none is believed. */
    proxies?: number
    now: () => Date
  }

/** The shop's door: checks what comes in, so that rubbish wakes nobody, and passes it on to who knows. */
export function gatewayApp(parts: GatewayParts): Express {
  const { operations, prices, accounts, limits = defaultLimits, proxies = 0, newId } = parts
  return httpApp({ ...parts, errorPage }, (app) => {
    app.set('trust proxy', proxies)
    app.use(securityHeaders, lookWhoAsks(accounts), limitChanges(limits.changes))
    app.use(duringMaintenance(parts.settings))

    app.post('/operation/create/:kind', jsonBody, async (request, response) => {
      // Named here: when the sidecar repeats the call, or the answer is lost, it is still one operation.
      const operation = await operations.create({ id: newId(), ...readCreate(request) })
      response.status(202).location(`/operation/get/${operation.uuid}`).json(operation)
    })

    app.get('/operation/get/:id', async (request, response) => {
      response.json(await operations.find(parse(operationId, request.params.id, 'uuid')))
    })

    app.post('/api/prices/quote', jsonBody, async (request, response) => {
      const asked = parse(quoteBody, request.body)
      response.json(await prices.quote(asked, continueTrace(request.get('traceparent'))))
    })

    showCatalog(app, parts)
    keepBasket(app, parts)
    takeOrders(app, parts)
    administrate(app, parts)
    if (accounts !== undefined) keepSessions(app, { ...parts, accounts, signIns: limits.signIns })
    showSettings(app, parts.settings, parts.now)
    showPages(app, { ...parts, canSignIn: accounts !== undefined })

    app.get('/openapi.json', (_request, response) => {
      response.json(openApi)
    })
    app.get('/docs', (_request, response) => {
      response.type('html').send(docsPage)
    })
    app.use('/docs/assets', express.static(docsAssets, { index: false }))
  })
}

function showCatalog(app: Express, { catalog }: GatewayParts): void {
  app.get('/api/goods', async (request, response) => {
    response.json(await catalog.goods(parse(listGoods, request.query, 'query')))
  })

  app.get('/api/goods/:sku', async (request, response) => {
    response.json(await catalog.good(parse(sku, request.params.sku, 'sku')))
  })

  app.get('/api/goods/:sku/picture.svg', async (request, response) => {
    // Drawn by what the good is called and where it stands, which seldom changes, and looked at by the dozen.
    response.set('cache-control', `public, max-age=${PICTURE_S}`)
    response.type('svg').send(await catalog.picture(parse(sku, request.params.sku, 'sku')))
  })

  app.get('/api/categories', async (_request, response) => {
    response.json(await catalog.categories())
  })

  app.get('/api/sales', async (request, response) => {
    response.json(await catalog.sales(parse(listSales, request.query, 'query')))
  })
}

/** The customer's own: no address names a basket. Who has none yet, and looks or empties, wakes nobody. */
function keepBasket(app: Express, parts: GatewayParts): void {
  const { baskets, newId } = parts

  async function change(request: Request, response: Response, wish: BasketChange): Promise<void> {
    const id = customerOf(request) ?? newId()
    const { basket, keptS } = await baskets.change(id, wish)
    remember(request, response, id, keptS)
    own(response).json(basket)
  }

  async function takeOut(request: Request, response: Response, wish: BasketChange): Promise<void> {
    if (customerOf(request) === undefined) own(response).json(nothing)
    else await change(request, response, wish)
  }

  app.get('/api/basket', async (request, response) => {
    const id = customerOf(request)
    const basket = id === undefined ? nothing : await baskets.find(id)
    own(response).json(await priced(basket, parts, continueTrace(request.get('traceparent'))))
  })

  app.put('/api/basket/lines/:sku', jsonBody, async (request, response) => {
    const wish = { sku: parse(sku, request.params['sku'], 'sku'), ...parse(putLine, request.body) }
    await change(request, response, { kind: 'put-line', ...wish })
  })

  app.delete('/api/basket/lines/:sku', async (request, response) => {
    const wish = { sku: parse(sku, request.params['sku'], 'sku') }
    await takeOut(request, response, { kind: 'remove-line', ...wish })
  })

  app.put('/api/basket/vouchers', jsonBody, async (request, response) => {
    await change(request, response, { kind: 'put-vouchers', ...parse(putVouchers, request.body) })
  })

  app.delete('/api/basket', async (request, response) => {
    await takeOut(request, response, { kind: 'clear' })
  })
}

const nothing: BasketView = { lines: [], voucherCodes: [] }

/** Nobody on the way may keep it, or show it to somebody else. */
function own(response: Response): Response {
  return response.set('cache-control', 'private, no-store')
}

function readCreate(request: Request): Omit<CreateOperation, 'id'> {
  const kind = String(request.params['kind'])
  if (kind !== 'user-create') throw new Refusal('not-found', `there is no operation ${kind}`)
  const body = parse(operationKinds[kind], request.body)
  const key = parse(idempotencyKey.optional(), request.get('idempotency-key'), 'Idempotency-Key')
  const traceparent = continueTrace(request.get('traceparent'))
  return { kind, body, traceparent, ...(key !== undefined && { idempotencyKey: key }) }
}
