import { answer, jsonBody, later, no, skuInPath, wrongBody } from './words.ts'

const changed = {
  ...answer('The basket as it is now', 'Basket'),
  headers: {
    'Set-Cookie': {
      description: 'The customer, who holds the basket',
      schema: { type: 'string' },
    },
  },
}

export const basketPaths = {
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
        ...wrongBody,
        400: no('Malformed sku, broken JSON or wrong fields'),
        409: no('The basket is full'),
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
        ...wrongBody,
        503: later,
      },
    },
  },
} as const
