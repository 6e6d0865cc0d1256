import { basketView, pricedBasket, putLine, putVouchers } from '@tideshop/contracts/basket'
import {
  categoriesPage,
  goodsPage,
  goodView,
  listGoods,
  listSales,
  putGood,
  putSale,
  salesPage,
  saleView,
  sku,
  stockDelivery,
  stockView,
} from '@tideshop/contracts/catalog'
import { failureId, failureStep, failuresPage, failureView, listFailures } from '@tideshop/contracts/failures'
import { listReports, reportsPage } from '@tideshop/contracts/jobs'
import { operationId, operationView, userCreateBody } from '@tideshop/contracts/operations'
import {
  checkout,
  listAllOrders,
  listOrders,
  logisticsStep,
  orderId,
  ordersPage,
  orderView,
} from '@tideshop/contracts/orders'
import { quoteBody, quoteView } from '@tideshop/contracts/pricing'
import { putSettings, shopNotice, shopSettings } from '@tideshop/contracts/settings'
import { z } from 'zod'
import {
  adminPaths,
  forStaff,
  ownersPaths,
  securitySchemes,
  sessionPaths,
  withWhoAsks,
} from './openapi-accounts.ts'

/** The door's contract, OpenAPI 3.1, made from the schemas that check the requests, so the two cannot differ. */

const problem = z.object({
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})

const schemas = {
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
function queryOf(schema: z.ZodObject) {
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

function answer(description: string, name: keyof typeof schemas, mediaType = 'application/json') {
  return { description, content: { [mediaType]: { schema: ref(name) } } }
}

function no(description: string) {
  return answer(description, 'Problem', 'application/problem+json')
}

const later = {
  ...no(
    'Something that is needed is away. `uncertain`: it may have been done, repeat with the same Idempotency-Key.',
  ),
  headers: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } },
}

const idempotencyKeyHeader = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key with the same body is the same operation, however often it is sent.',
  schema: { type: 'string', minLength: 1, maxLength: 200, pattern: '^[\\x21-\\x7e]{1,200}$' },
}

const skuInPath = { name: 'sku', in: 'path', required: true, schema: jsonSchema(sku) }

const catalogPaths = {
  '/api/goods': {
    get: {
      tags: ['catalog'],
      operationId: 'listGoods',
      summary: 'Look through the goods, or search for some',
      parameters: queryOf(listGoods),
      responses: {
        200: answer('A page of goods in the order of their skus', 'GoodsPage'),
        400: no('Malformed query'),
        503: later,
      },
    },
  },
  '/api/goods/{sku}': {
    get: {
      tags: ['catalog'],
      operationId: 'getGood',
      summary: 'Look at one',
      parameters: [skuInPath],
      responses: {
        200: answer('The good, with the sale that runs for it', 'Good'),
        400: no('Malformed sku'),
        404: no('No such good'),
        503: later,
      },
    },
  },
  '/api/goods/{sku}/picture.svg': {
    get: {
      tags: ['catalog'],
      operationId: 'getPicture',
      summary: 'See it',
      parameters: [skuInPath],
      responses: {
        200: { description: 'A drawing', content: { 'image/svg+xml': { schema: { type: 'string' } } } },
        400: no('Malformed sku'),
        404: no('No such good'),
        503: later,
      },
    },
  },
  '/api/categories': {
    get: {
      tags: ['catalog'],
      operationId: 'listCategories',
      summary: 'The shelves of the shop',
      responses: { 200: answer('All categories', 'CategoriesPage'), 503: later },
    },
  },
  '/api/sales': {
    get: {
      tags: ['catalog'],
      operationId: 'listSales',
      summary: 'What is cheaper for a while',
      parameters: queryOf(listSales),
      responses: {
        200: answer('A page of the sales that run or are to come', 'SalesPage'),
        400: no('Malformed query'),
        503: later,
      },
    },
  },
} as const

function jsonBody(name: keyof typeof schemas) {
  return { required: true, content: { 'application/json': { schema: ref(name) } } }
}

const changed = {
  ...answer('The basket as it is now', 'Basket'),
  headers: {
    'Set-Cookie': {
      description: 'The customer, who holds the basket',
      schema: { type: 'string' },
    },
  },
}

const basketPaths = {
  '/api/basket': {
    get: {
      tags: ['basket'],
      operationId: 'getBasket',
      summary: 'What is in the basket, and what it costs now',
      responses: { 200: answer('The basket with its price', 'PricedBasket'), 503: later },
    },
    delete: {
      tags: ['basket'],
      operationId: 'clearBasket',
      summary: 'Empty it',
      responses: { 200: changed, 503: later },
    },
  },
  '/api/basket/lines/{sku}': {
    put: {
      tags: ['basket'],
      operationId: 'putLine',
      summary: 'Have so many pieces of a good in it',
      parameters: [skuInPath],
      requestBody: jsonBody('BasketLine'),
      responses: {
        200: changed,
        400: no('Malformed sku, broken JSON or wrong fields'),
        409: no('The basket is full'),
        413: no('Body too large'),
        415: no('Not application/json'),
        503: later,
      },
    },
    delete: {
      tags: ['basket'],
      operationId: 'removeLine',
      summary: 'Take a good out',
      parameters: [skuInPath],
      responses: { 200: changed, 400: no('Malformed sku'), 503: later },
    },
  },
  '/api/basket/vouchers': {
    put: {
      tags: ['basket'],
      operationId: 'putVouchers',
      summary: 'Pay with these vouchers',
      requestBody: jsonBody('BasketVouchers'),
      responses: {
        200: changed,
        400: no('Broken JSON or wrong fields'),
        413: no('Body too large'),
        415: no('Not application/json'),
        503: later,
      },
    },
  },
} as const

const orderInPath = { name: 'id', in: 'path', required: true, schema: jsonSchema(orderId) }

const orderPaths = {
  '/api/orders': {
    post: {
      tags: ['orders'],
      operationId: 'placeOrder',
      summary: 'Order what is in the basket',
      parameters: [
        {
          ...idempotencyKeyHeader,
          description:
            'The same key of the same customer with the same body is the same order, however often it is sent.',
        },
      ],
      requestBody: jsonBody('Checkout'),
      responses: {
        202: {
          ...answer('Accepted: it will be confirmed or cancelled', 'Order'),
          headers: { Location: { description: 'Where to follow it', schema: { type: 'string' } } },
        },
        400: no('Broken JSON or wrong fields'),
        409: no('The basket is empty'),
        413: no('Body too large'),
        415: no('Not application/json'),
        422: no('The idempotency key belongs to another checkout'),
        503: later,
      },
    },
    get: {
      tags: ['orders'],
      operationId: 'listOrders',
      summary: 'The customer’s own orders, the newest first',
      parameters: queryOf(listOrders),
      responses: { 200: answer('A page of orders', 'OrdersPage'), 400: no('Malformed query'), 503: later },
    },
  },
  '/api/orders/{id}': {
    get: {
      tags: ['orders'],
      operationId: 'getOrder',
      summary: 'Follow an order',
      parameters: [orderInPath],
      responses: {
        200: answer('The order as it stands, and what happened', 'Order'),
        400: no('Malformed id'),
        404: no('The customer has no such order'),
        503: later,
      },
    },
  },
  '/api/orders/{id}/cancel': {
    post: {
      tags: ['orders'],
      operationId: 'cancelOrder',
      summary: 'Take it back, as long as it is not shipped',
      parameters: [orderInPath],
      responses: {
        200: answer('The order, which will be cancelled', 'Order'),
        400: no('Malformed id'),
        404: no('The customer has no such order'),
        409: no('It is shipped'),
        503: later,
      },
    },
  },
} as const

const settingsPaths = {
  '/api/settings': {
    get: {
      tags: ['shop'],
      operationId: 'getSettings',
      summary: 'What the shop is called, and what it has to say just now',
      description: 'In maintenance every change is answered with 503 and this message; looking goes on.',
      responses: { 200: answer('The notice', 'ShopNotice') },
    },
  },
} as const

/** Of `runOrders`. */
export const adminOrderPaths = {
  '/api/admin/orders': {
    get: {
      tags: ['admin'],
      operationId: 'listAllOrders',
      summary: 'All orders, the newest first',
      parameters: queryOf(listAllOrders),
      responses: { 200: answer('A page of orders', 'OrdersPage'), 400: no('Malformed query'), 503: later },
    },
  },
  ...Object.fromEntries(
    [...logisticsStep.options, 'cancel'].map((step) => [
      `/api/admin/orders/{id}/${step}`,
      {
        post: {
          tags: ['admin'],
          operationId: `${step}OrderByShop`,
          summary: step === 'cancel' ? 'Take an order back' : `Say that it is ${step}`,
          parameters: [orderInPath],
          responses: {
            200: answer('The order as it is now', 'Order'),
            400: no('Malformed id'),
            404: no('No such order'),
            409: no('It is not at that step'),
            503: later,
          },
        },
      },
    ]),
  ),
}

/** Of `administerFailures`. */
export const failurePaths = {
  '/api/admin/failures': {
    get: {
      tags: ['admin'],
      operationId: 'listFailures',
      summary: 'Messages that no service could handle, the last one first',
      parameters: queryOf(listFailures),
      responses: { 200: answer('A page of them', 'FailuresPage'), 400: no('Malformed query'), 503: later },
    },
  },
  ...Object.fromEntries(
    failureStep.options.map((step) => [
      `/api/admin/failures/{id}/${step}`,
      {
        post: {
          tags: ['admin'],
          operationId: `${step}Failure`,
          summary:
            step === 'redrive'
              ? 'Put it back into its topic, where it is tried again; twice is once'
              : 'Give it up; twice is once',
          parameters: [{ name: 'id', in: 'path', required: true, schema: jsonSchema(failureId) }],
          responses: {
            200: answer('The failure as it is now', 'Failure'),
            400: no('Malformed id'),
            404: no('No such failure'),
            409: no('The other was done already, or it is too large to be put back from here'),
            503: later,
          },
        },
      },
    ]),
  ),
}

export const openApi = {
  openapi: '3.1.0',
  info: { title: 'Tideshop', version: '1', description: 'A shop that scales like the tide.' },
  paths: withWhoAsks({
    '/operation/create/user-create': {
      post: {
        tags: ['operations'],
        operationId: 'createUser',
        summary: 'Ask for a new user',
        parameters: [idempotencyKeyHeader],
        requestBody: { required: true, content: { 'application/json': { schema: ref('UserCreate') } } },
        responses: {
          202: {
            ...answer('Accepted: it will end, once', 'Operation'),
            headers: { Location: { description: 'Where to follow it', schema: { type: 'string' } } },
          },
          400: no('Broken JSON or wrong fields'),
          413: no('Body too large'),
          415: no('Not application/json'),
          422: no('The idempotency key belongs to a request with another body'),
          503: later,
        },
      },
    },
    '/operation/get/{uuid}': {
      get: {
        tags: ['operations'],
        operationId: 'getOperation',
        summary: 'Follow an operation',
        parameters: [{ name: 'uuid', in: 'path', required: true, schema: jsonSchema(operationId) }],
        responses: {
          200: answer('The operation as it stands', 'Operation'),
          400: no('Malformed id'),
          404: no('No such operation'),
          503: later,
        },
      },
    },
    '/api/prices/quote': {
      post: {
        tags: ['prices'],
        operationId: 'quotePrice',
        summary: 'What a basket costs, with sales and vouchers',
        requestBody: { required: true, content: { 'application/json': { schema: ref('QuoteRequest') } } },
        responses: {
          200: answer('The price; amounts are whole cents', 'Quote'),
          400: no('Broken JSON or wrong fields'),
          413: no('Body too large'),
          415: no('Not application/json'),
          503: later,
        },
      },
    },
    ...catalogPaths,
    ...basketPaths,
    ...orderPaths,
    ...settingsPaths,
    ...adminPaths({ answer, no, body: jsonBody, later }),
    ...forStaff(adminOrderPaths, no),
    ...forStaff(ownersPaths({ answer, no, body: jsonBody, later, listReports: queryOf(listReports) }), no),
    ...forStaff(failurePaths, no),
    ...sessionPaths({ no, later }),
  }),
  components: { schemas, securitySchemes },
} as const
