import { defineEvent } from '@tideshop/kit/event'
import { refusal } from '@tideshop/kit/refusal'
import { z } from 'zod'
import { noControlCharacters } from './text.ts'

/** What `catalog` says: to callers over HTTP about goods and sales, and to the shop as the actor that keeps stock. */

/** A thing that the shop sells, as it stands on labels and shelves. */
export const sku = z
  .string()
  .regex(/^[A-Z0-9]{2,10}(-[A-Z0-9]{1,10}){1,3}$/, 'needs to look like LMP-0102')
  .meta({ examples: ['LMP-0102'] })

export const categoryId = z
  .string()
  .regex(/^[a-z][a-z-]{1,38}[a-z]$/, 'needs 3 to 40 small letters or dashes')

/** Euro cents: the shop knows no other currency and no fraction of a cent. */
const priceCents = z.int().min(1).max(10_000_000)
const line = z
  .string()
  .regex(/\S/, 'needs a character that is not a space')
  .regex(noControlCharacters, 'may not have control characters')
const title = line.max(120, 'may have 120 characters')
const time = z.iso.datetime()
/** Counts the changes of what it belongs to, from 1. */
const version = z.int().min(1)
/** Pieces of one good that a customer may have of a sale. */
const perCustomerMax = z.int().min(1).max(1000)

/** A price for a while: from `startsAt` until just before `endsAt`. */
const saleFields = {
  sku,
  title,
  priceCents,
  startsAt: time,
  endsAt: time,
  perCustomerMax,
}

export const saleId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{1,59}$/, 'needs 2 to 60 small letters, digits or dashes')

export const saleView = z.object({
  id: saleId,
  ...saleFields,
  state: z.enum(['upcoming', 'running', 'ended']),
  version,
})
export type SaleView = z.infer<typeof saleView>

const goodFields = {
  name: title,
  description: line.max(1000, 'may have 1000 characters'),
  category: categoryId,
  priceCents,
}

export const goodView = z.object({
  sku,
  ...goodFields,
  picture: z.string().meta({ description: 'Where its picture is, an SVG' }),
  version,
  /** The sale that runs for it just now. */
  sale: saleView.optional(),
})
export type GoodView = z.infer<typeof goodView>

/** Goods, sales or categories in one answer. */
export const PAGE_MAX = 100
const PAGE_DEFAULT = 24

const limit = z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT)
const afterHint = 'The `next` of the page before; none for the first page'

/** `GET /goods`. A page is what comes after a good, not the n-th of something that changes meanwhile. */
export const listGoods = z.strictObject({
  category: categoryId.optional(),
  q: line.max(100, 'may have 100 characters').optional().meta({
    description: 'Words, or their beginnings, all of which have to stand in name, description or category',
  }),
  after: sku.optional().meta({ description: afterHint }),
  limit,
})
export type ListGoods = z.infer<typeof listGoods>

/** `GET /goods/named?skus=A,B`: those of them that there are, in any order. */
export const namedGoods = z.strictObject({
  skus: z
    .string()
    .transform((skus) => skus.split(','))
    .pipe(z.array(sku).max(PAGE_MAX)),
})
export const goodsNamed = z.object({ goods: z.array(goodView).max(PAGE_MAX) })
export type GoodsNamed = z.infer<typeof goodsNamed>

/**
 * `GET /stock/low`: of so many goods (`limit`), from `after` on, those with less free pieces than `below`. Each good that is looked
 * at is a turn of its actor, so whoever wants to know of all of them goes page by page, and seldom.
 */
export const findLowStock = z.strictObject({
  below: z.coerce.number().int().min(1).max(100_000).default(10),
  after: sku.optional().meta({ description: afterHint }),
  limit,
})
export type FindLowStock = z.infer<typeof findLowStock>
export const lowGood = z.object({ sku, name: title, free: z.int().min(0) })
export type LowGood = z.infer<typeof lowGood>
export const lowStockPage = z.object({
  goods: z.array(lowGood).max(PAGE_MAX),
  /** Of the goods that were looked at, not of those that are low: a page may have none, and others follow. */
  next: z.string().nullable(),
})
export type LowStockPage = z.infer<typeof lowStockPage>

/** `GET /sales`: those that run or are to come, by their ids. */
export const listSales = z.strictObject({ after: saleId.optional().meta({ description: afterHint }), limit })
export type ListSales = z.infer<typeof listSales>

const next = z.string().nullable().meta({ description: 'Ask with `after` for what follows; null at the end' })
export const goodsPage = z.object({ goods: z.array(goodView), next })
export type GoodsPage = z.infer<typeof goodsPage>
export const salesPage = z.object({ sales: z.array(saleView), next })
export type SalesPage = z.infer<typeof salesPage>
export const categoriesPage = z.object({
  categories: z.array(z.object({ id: categoryId, name: z.string() })).max(PAGE_MAX),
})
export type CategoriesPage = z.infer<typeof categoriesPage>

/** Where the shop's door shows the picture of a good. */
export function picturePath(goodSku: string): string {
  return `/api/goods/${goodSku}/picture.svg`
}

/** `GET /picture?sku=` answers `{ svg }`: what passes through sidecars is JSON, or it is no answer (kit/invoke). */
export const pictureView = z.object({ svg: z.string() })
export type PictureView = z.infer<typeof pictureView>

/** `#rrggbb`. */
const tint = z.string().regex(/^#[0-9a-f]{6}$/, 'needs to be a colour like #2f6f8f')

/**
 * `PUT /admin/good?sku=` creates without a `version`, and changes the one of that `version`: who comes with an older one
 * has not seen what was changed since.
 */
export const putGood = z.strictObject({
  ...goodFields,
  tint: tint.meta({ description: 'The main colour of its picture' }),
  openingPieces: z.int().min(0).max(1_000_000).meta({
    description: 'Pieces with which its stock begins; of no effect once anybody has asked for its stock',
  }),
  version: version.optional(),
})
export type PutGood = z.infer<typeof putGood>

/** `PUT /admin/sale?id=`, with `version` as for goods. */
export const putSale = z
  .strictObject({ ...saleFields, version: version.optional() })
  .refine(({ startsAt, endsAt }) => Date.parse(startsAt) < Date.parse(endsAt), {
    path: ['endsAt'],
    error: 'needs to be after startsAt',
  })
export type PutSale = z.infer<typeof putSale>

/** The actor that keeps the stock of one good; its id is the sku. */
export const STOCK_ACTOR = 'StockActor'

/** Chosen by who asks: the same id is the same reservation, or the same delivery, however often it is sent. */
export const stockId = z.string().regex(/^[\x21-\x7e]{1,100}$/, 'needs 1 to 100 visible ASCII characters')

/** Pieces in one reservation or delivery. */
const pieces = z.int().min(1).max(100_000)
/** Milliseconds until a reservation that nobody confirmed gives its pieces back. */
export const stockTtlMs = z
  .int()
  .min(1000)
  .max(24 * 3_600_000)

/** What the actor can be asked, by method. */
export const stockMethods = {
  /** Takes pieces out of what is free, for a while. */
  reserve: z.strictObject({ id: stockId, count: pieces, ttlMs: stockTtlMs }),
  /** They are sold. Refused when the reservation is over. */
  confirm: z.strictObject({ id: stockId }),
  /**
   * They are free again, held or sold. Before its reservation came, it makes sure that it never will. `sold`: so many were
   * confirmed, by the books of whoever asks; it counts when the actor has forgotten the reservation, so who has been
   * answered may not ask again.
   */
  release: z.strictObject({ id: stockId, sold: pieces.optional() }),
  /** A delivery: more pieces. */
  restock: z.strictObject({ id: stockId, count: pieces }),
  read: z.strictObject({}),
} as const
export type StockMethod = keyof typeof stockMethods
export type StockWish<M extends StockMethod> = z.infer<(typeof stockMethods)[M]>

export const reservationView = z.object({
  id: stockId,
  count: z.int().min(0),
  /** `returned`: released after it was confirmed. */
  state: z.enum(['held', 'confirmed', 'released', 'returned', 'expired']),
  /** Of one that is held: when it expires. */
  until: time.optional(),
})
export type ReservationView = z.infer<typeof reservationView>

export const stockView = z.object({
  /** Can be reserved. */
  free: z.int().min(0),
  /** Reserved, and not yet confirmed. */
  held: z.int().min(0),
  sold: z.int().min(0),
  /** All that ever came: free + held + sold. */
  received: z.int().min(0),
})
export type StockView = z.infer<typeof stockView>

/** `POST /api/admin/stock/:sku/deliveries`. */
export const stockDelivery = stockMethods.restock
export type StockDelivery = z.infer<typeof stockDelivery>

/** What the actor answers. A `no` is an answer too: of every other status the sidecar makes an error of its own. */
export const stockAnswer = z.union([
  z.object({ reservation: reservationView }),
  z.object({ delivery: z.object({ id: stockId, count: pieces }) }),
  z.object({ stock: stockView }),
  z.object({ refusal }),
])
export type StockAnswer = z.infer<typeof stockAnswer>

export const orderStockResponse = defineEvent({
  topic: 'order-stock-response',
  source: 'catalog',
  version: 1,
  summary: 'What became of the pieces that an order asked for. Subject: the order.',
  data: z.discriminatedUnion('answer', [
    z.object({
      answer: z.literal('reserved'),
      orderId: z.uuidv7(),
      lines: z
        .array(z.object({ sku, name: title, unitPriceCents: priceCents, quantity: pieces }))
        .min(1)
        .describe('As it was asked, and what a piece costs: the price of a sale that runs, where one does'),
    }),
    z
      .object({ answer: z.literal('refused'), orderId: z.uuidv7(), reason: z.string() })
      .describe('Nothing is held.'),
    z.object({ answer: z.literal('confirmed'), orderId: z.uuidv7() }),
    z
      .object({ answer: z.literal('lost'), orderId: z.uuidv7(), reason: z.string() })
      .describe('It came too late: the reservation was over, and nothing is held or sold.'),
    z.object({ answer: z.literal('released'), orderId: z.uuidv7() }),
  ]),
})
export type OrderStockResponse = z.infer<(typeof orderStockResponse)['schema']>
