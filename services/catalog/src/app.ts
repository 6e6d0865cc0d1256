import {
  type CategoriesPage,
  findLowStock,
  type GoodsNamed,
  type GoodsPage,
  type GoodView,
  type LowStockPage,
  listGoods,
  listSales,
  namedGoods,
  type PictureView,
  putGood as putGoodWish,
  putSale as putSaleWish,
  type SalesPage,
  type SaleView,
  STOCK_ACTOR,
  saleId,
  sku as skuSchema,
  stockMethods,
} from '@tideshop/contracts/catalog'
import { orderStock } from '@tideshop/contracts/orders'
import { type ActorParts, type ActorType, hostActor } from '@tideshop/kit/actor'
import type { Row } from '@tideshop/kit/aggregates'
import { type HttpParts, httpApp, jsonBody } from '@tideshop/kit/http'
import { type InboxParts, on, subscribe } from '@tideshop/kit/inbox'
import { parse, Refusal } from '@tideshop/kit/refusal'
import type { Express } from 'express'
import { type AllocateParts, allocate } from './allocate.ts'
import type { Category } from './category.ts'
import { type Good, putGood, viewGood } from './good.ts'
import { levelsOf } from './levels.ts'
import { drawGood } from './picture.ts'
import { bestBySku, putSale, type Sale, viewSale } from './sale.ts'
import {
  confirm,
  expire,
  nextExpiry,
  openStock,
  release,
  reserve,
  restock,
  type Stock,
  viewStock,
} from './stock.ts'
import type { CatalogStore } from './store.ts'
import { wordsOf } from './words.ts'

/** Words of one search that count; more only make it slower. */
const SOUGHT_MAX = 8

export type CatalogParts = HttpParts &
  ActorParts &
  InboxParts &
  Omit<AllocateParts, 'goodsNamed'> & { catalog: CatalogStore; categories: readonly Category[] }

export function catalogApp(parts: CatalogParts): Express {
  const { catalog, now } = parts
  const goodsNamed = async (skus: readonly string[]) => withSales(catalog, await catalog.named(skus), now())
  return httpApp(parts, (app) => {
    subscribe(app, parts, [on(orderStock, (asks) => allocate({ ...parts, goodsNamed }, asks))])
    hostActor(app, parts, stockActor(parts))
    showGoods(app, parts)
    showSales(app, parts)
    administrate(app, parts)
  })
}

/** Ids stand behind the `?`: in a path each would be a time series of its own in the sidecar's metrics. */
function showGoods(app: Express, { catalog, categories, sidecar, now }: CatalogParts): void {
  app.get('/goods', async (request, response) => {
    const { q, category, after, limit } = parse(listGoods, request.query, 'query')
    const words = wordsOf(q ?? '').slice(0, SOUGHT_MAX)
    // Who seeks nothing but signs finds nothing.
    const vain = q !== undefined && words.length === 0
    const rows = vain ? [] : await catalog.goods({ category, words, after, max: limit + 1 })
    const { shown, next } = paged(rows, limit)
    const goods = await withSales(catalog, shown, now())
    response.json({ goods, next } satisfies GoodsPage)
  })

  app.get('/goods/named', async (request, response) => {
    const { skus } = parse(namedGoods, request.query, 'query')
    const goods = await withSales(catalog, await catalog.named(skus), now())
    response.json({ goods } satisfies GoodsNamed)
  })

  app.get('/good', async (request, response) => {
    const [view] = await withSales(catalog, [await goodOf(catalog, request.query['sku'])], now())
    response.json(view satisfies GoodView | undefined)
  })

  app.get('/stock/low', async (request, response) => {
    const { below, after, limit } = parse(findLowStock, request.query, 'query')
    const rows = await catalog.goods({ words: [], after, max: limit + 1 })
    const { shown, next } = paged(rows, limit)
    const goods = (await levelsOf(sidecar, shown)).filter(({ free }) => free < below)
    response.json({ goods, next } satisfies LowStockPage)
  })

  app.get('/picture', async (request, response) => {
    const { id, body } = await goodOf(catalog, request.query['sku'])
    response.json({ svg: drawGood({ sku: id, ...body }) } satisfies PictureView)
  })

  app.get('/categories', (_request, response) => {
    response.json({ categories: [...categories] } satisfies CategoriesPage)
  })
}

function showSales(app: Express, { catalog, now }: CatalogParts): void {
  app.get('/sales', async (request, response) => {
    const { after, limit } = parse(listSales, request.query, 'query')
    const at = now()
    const { shown, next } = paged(await catalog.sales({ after, max: limit + 1 }, at), limit)
    response.json({ sales: shown.map((sale) => viewSale(sale, at)), next } satisfies SalesPage)
  })
}

/** Who may do it is not asked here, but at the shop's door. */
function administrate(app: Express, { catalog, categories, now }: CatalogParts): void {
  app.put('/admin/good', jsonBody, async (request, response) => {
    const sku = parse(skuSchema, request.query['sku'], 'sku')
    const wish = parse(putGoodWish, request.body)
    const category = categories.find(({ id }) => id === wish.category) ?? null
    const row = await catalog.changeGood(sku, (current) => putGood(current, wish, category))
    response.json(viewGood(row, undefined, now()) satisfies GoodView)
  })

  app.put('/admin/sale', jsonBody, async (request, response) => {
    const id = parse(saleId, request.query['id'], 'id')
    const wish = parse(putSaleWish, request.body)
    const good = await catalog.good(wish.sku)
    const row = await catalog.changeSale(id, (current) => putSale(current, wish, good?.body ?? null))
    response.json(viewSale(row, now()) satisfies SaleView)
  })
}

/** The stock of a good begins with its opening pieces when somebody asks for the first time. */
function stockActor({ catalog }: CatalogParts): ActorType<Stock> {
  return {
    name: STOCK_ACTOR,
    begin: async (sku) => openStock((await goodOf(catalog, sku)).body.openingPieces),
    decide: decideStock,
    alarm: expire,
    alarmAt: nextExpiry,
  }
}

function decideStock(
  stock: Stock,
  method: string,
  wish: unknown,
  now: Date,
): { next: Stock; answer: object } {
  switch (method) {
    case 'reserve':
      return reserve(stock, parse(stockMethods.reserve, wish), now)
    case 'confirm':
      return confirm(stock, parse(stockMethods.confirm, wish), now)
    case 'release':
      return release(stock, parse(stockMethods.release, wish), now)
    case 'restock':
      return restock(stock, parse(stockMethods.restock, wish), now)
    case 'read':
      return { next: stock, answer: { stock: viewStock(expire(stock, now)) } }
    default:
      throw new Refusal('not-found', `stock has no ${method}`)
  }
}

async function goodOf(catalog: CatalogStore, sku: unknown): Promise<Row<Good>> {
  const row = await catalog.good(parse(skuSchema, sku, 'sku'))
  if (row === null) throw new Refusal('not-found', `there is no good ${sku}`)
  return row
}

async function withSales(catalog: CatalogStore, goods: readonly Row<Good>[], now: Date): Promise<GoodView[]> {
  if (goods.length === 0) return []
  const running: Row<Sale>[] = await catalog.runningSales(
    goods.map(({ id }) => id),
    now,
  )
  const best = bestBySku(running)
  return goods.map((good) => viewGood(good, best.get(good.id), now))
}

/** One more than is shown was asked for: it tells whether something follows. */
function paged<S>(rows: readonly Row<S>[], limit: number): { shown: readonly Row<S>[]; next: string | null } {
  const shown = rows.slice(0, limit)
  return { shown, next: rows.length > limit ? (shown.at(-1)?.id ?? null) : null }
}
