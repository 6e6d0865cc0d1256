import { listGoods, listSales } from '@tideshop/contracts/catalog'
import { answer, jsonBody, later, no, queryOf, skuInPath, wrongBody } from './words.ts'

export const pricePaths = {
  '/api/prices/quote': {
    post: {
      tags: ['prices'],
      operationId: 'quotePrice',
      summary: 'What a basket costs, with sales and vouchers',
      requestBody: jsonBody('QuoteRequest'),
      responses: {
        200: answer('The price; amounts are whole cents', 'Quote'),
        ...wrongBody,
        503: later,
      },
    },
  },
} as const

export const catalogPaths = {
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
