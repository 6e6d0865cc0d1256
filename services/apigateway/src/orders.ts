import type { Baskets } from '@tideshop/clients/baskets'
import { checkOut } from '@tideshop/clients/checkout'
import type { Orders } from '@tideshop/clients/orders'
import { idempotencyKey } from '@tideshop/contracts/operations'
import { checkout, listAllOrders, listOrders, logisticsStep, orderId } from '@tideshop/contracts/orders'
import { jsonBody } from '@tideshop/kit/http'
import { parse, Refusal } from '@tideshop/kit/refusal'
import { continueTrace } from '@tideshop/kit/trace'
import type { Express, IRouter, Request, Response } from 'express'
import { customerOf, remember } from './who.ts'

export type OrderParts = { orders: Orders; baskets: Baskets; newId: () => string }

/** The customer's own, like the basket. Whoever is nobody yet has no order, and wakes nobody. */
export function takeOrders(app: Express, { orders, baskets, newId }: OrderParts): void {
  app.post('/api/orders', jsonBody, async (request, response) => {
    const wish = parse(checkout, request.body)
    const key = parse(idempotencyKey.optional(), request.get('idempotency-key'), 'Idempotency-Key')
    const customerId = customerOf(request)
    if (customerId === undefined) throw new Refusal('conflict', 'the basket is empty')
    // Named here: when a sidecar repeats the call, or its answer is lost, it is still one order.
    const { order, keptS } = await checkOut(
      { orders, baskets },
      {
        ...wish,
        id: newId(),
        customerId,
        ...(key !== undefined && { idempotencyKey: key }),
        traceparent: traceOf(request),
      },
    )
    remember(request, response, customerId, keptS)
    own(response).status(202).location(`/api/orders/${order.id}`).json(order)
  })

  app.get('/api/orders', async (request, response) => {
    const wanted = parse(listOrders, request.query, 'query')
    const customerId = customerOf(request)
    own(response).json(
      customerId === undefined ? { orders: [], next: null } : await orders.list({ ...wanted, customerId }),
    )
  })

  app.get('/api/orders/:id', async (request, response) => {
    own(response).json(await orders.find(ownOrder(request)))
  })

  app.post('/api/orders/:id/cancel', async (request, response) => {
    own(response).json(await orders.cancel({ ...ownOrder(request), traceparent: traceOf(request) }))
  })
}

/** All orders. For who may: it is to be mounted behind the role. */
export function runOrders(app: IRouter, { orders }: Pick<OrderParts, 'orders'>): void {
  app.get('/api/admin/orders', async (request, response) => {
    own(response).json(await orders.list(parse(listAllOrders, request.query, 'query')))
  })

  app.post('/api/admin/orders/:id/cancel', async (request, response) => {
    const id = parse(orderId, request.params['id'], 'id')
    own(response).json(await orders.cancel({ id, traceparent: traceOf(request) }))
  })

  for (const step of logisticsStep.options) {
    app.post(`/api/admin/orders/:id/${step}`, async (request, response) => {
      const id = parse(orderId, request.params['id'], 'id')
      own(response).json(await orders.advance({ id, step }))
    })
  }
}

function ownOrder(request: Request): { id: string; customerId: string } {
  const id = parse(orderId, request.params['id'], 'id')
  const customerId = customerOf(request)
  if (customerId === undefined) throw new Refusal('not-found', `there is no order ${id}`)
  return { id, customerId }
}

function traceOf(request: Request): string {
  return continueTrace(request.get('traceparent'))
}

/** Nobody on the way may keep it, or show it to somebody else. */
function own(response: Response): Response {
  return response.set('cache-control', 'private, no-store')
}
