import { basketView, pricedBasket, putLine, putVouchers } from '@tideshop/contracts/basket'
import {
  categoriesPage,
  goodsPage,
  goodView,
  putGood,
  putSale,
  salesPage,
  saleView,
  sku,
  stockDelivery,
  stockView,
} from '@tideshop/contracts/catalog'
import { failuresPage, failureView } from '@tideshop/contracts/failures'
import { reportsPage } from '@tideshop/contracts/jobs'
import { operationView, userCreateBody } from '@tideshop/contracts/operations'
import { checkout, ordersPage, orderView } from '@tideshop/contracts/orders'
import { quoteBody, quoteView } from '@tideshop/contracts/pricing'
import { putSettings, shopNotice, shopSettings } from '@tideshop/contracts/settings'
import { z } from 'zod'

/** What the parts of the door's contract have in common: its schemas, and how an answer, a body and a parameter are said. */

const problem = z.object({
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})

export const schemas = {
  Operation: jsonSchema(operationView),
  UserCreate: jsonSchema(userCreateBody),
  Quote: jsonSchema(quoteView),
  // As it is sent: what has a default may be left out.
  QuoteRequest: jsonSchema(quoteBody, 'input'),
  Good: jsonSchema(goodView),
  GoodsPage: jsonSchema(goodsPage),
  CategoriesPage: jsonSchema(categoriesPage),
  SalesPage: jsonSchema(salesPage),
  Basket: jsonSchema(basketView),
  PricedBasket: jsonSchema(pricedBasket),
  BasketLine: jsonSchema(putLine),
  BasketVouchers: jsonSchema(putVouchers),
  Checkout: jsonSchema(checkout, 'input'),
  Order: jsonSchema(orderView),
  OrdersPage: jsonSchema(ordersPage),
  ShopNotice: jsonSchema(shopNotice),
  ShopSettings: jsonSchema(shopSettings),
  SettingsToPut: jsonSchema(putSettings, 'input'),
  ReportsPage: jsonSchema(reportsPage),
  Failure: jsonSchema(failureView),
  FailuresPage: jsonSchema(failuresPage),
  GoodToPut: jsonSchema(putGood, 'input'),
  Sale: jsonSchema(saleView),
  SaleToPut: jsonSchema(putSale, 'input'),
  Stock: jsonSchema(stockView),
  StockDelivery: jsonSchema(stockDelivery),
  Problem: jsonSchema(problem),
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output' = 'output') {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io })
  return rest
}

/** The query parameters that a schema of texts and numbers allows. */
export function queryOf(schema: z.ZodObject) {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' })
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: property,
  }))
}

function ref(name: keyof typeof schemas) {
  return { $ref: `#/components/schemas/${name}` }
}

/** A response of that schema. */
export function answer(description: string, name: keyof typeof schemas, mediaType = 'application/json') {
  return { description, content: { [mediaType]: { schema: ref(name) } } }
}

/** A refusal, as RFC 9457 has it. */
export function no(description: string) {
  return answer(description, 'Problem', 'application/problem+json')
}

export const retryAfter = { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } }

/** 202: what comes of it stands elsewhere. */
export function accepted(description: string, name: keyof typeof schemas) {
  return {
    ...answer(description, name),
    headers: { Location: { description: 'Where to follow it', schema: { type: 'string' } } },
  }
}

/** 503. */
export const later = {
  ...no(
    'Something that is needed is away. `uncertain`: it may have been done, repeat with the same Idempotency-Key.',
  ),
  headers: retryAfter,
}

export const idempotencyKeyHeader = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key with the same body is the same operation, however often it is sent.',
  schema: { type: 'string', minLength: 1, maxLength: 200, pattern: '^[\\x21-\\x7e]{1,200}$' },
}

export function jsonBody(name: keyof typeof schemas) {
  return { required: true, content: { 'application/json': { schema: ref(name) } } }
}

export function inPath(name: string, schema: z.ZodType) {
  return { name, in: 'path', required: true, schema: jsonSchema(schema) }
}

export const skuInPath = inPath('sku', sku)

/** Of a body that is not as the contract says. */
export const wrongBody = {
  400: no('Broken JSON or wrong fields'),
  413: no('Body too large'),
  415: no('Not application/json'),
}
