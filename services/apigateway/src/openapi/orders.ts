import { listAllOrders, listOrders, logisticsStep, orderId } from '@tideshop/contracts/orders'
import {
  accepted,
  answer,
  idempotencyKeyHeader,
  inPath,
  jsonBody,
  later,
  no,
  queryOf,
  wrongBody,
} from './words.ts'

const orderInPath = inPath('id', orderId)

export const orderPaths = {
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
        202: accepted('Accepted: it will be confirmed or cancelled', 'Order'),
        ...wrongBody,
        409: no('The basket is empty'),
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
