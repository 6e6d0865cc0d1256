import {
  type AdvanceOrder,
  type CancelOrder,
  type FindOrder,
  type FindOrders,
  type OrdersPage,
  type OrderView,
  ordersPage,
  orderView,
  type PlaceOrder,
} from '@tideshop/contracts/orders'
import type { Invoke, InvokeResponse } from '@tideshop/kit/invoke'
import { answerIn } from './answer.ts'
import { patient } from './patience.ts'
import { queryOf } from './query.ts'

/** What is asked of `orders`. Each rejects with the refusal that its caller should read, and may be repeated. */
export type Orders = {
  place: (order: PlaceOrder) => Promise<OrderView>
  find: (wanted: FindOrder) => Promise<OrderView>
  list: (wanted: FindOrders) => Promise<OrdersPage>
  cancel: (wish: CancelOrder) => Promise<OrderView>
  advance: (wish: AdvanceOrder) => Promise<OrderView>
}

/** `wakeWaitMs`: how long a call that nobody answers is repeated. */
export function ordersThrough(invoke: Invoke, wakeWaitMs: number): Orders {
  const ask = patient(invoke, wakeWaitMs)
  const view = (answer: InvokeResponse) => answerIn('orders', orderView, answer)
  return {
    place: async (order) => view(await ask('orders', 'POST', 'order/place', order)),
    find: async (wanted) => view(await ask('orders', 'GET', `order${queryOf(wanted)}`)),
    list: async (wanted) =>
      answerIn('orders', ordersPage, await ask('orders', 'GET', `orders${queryOf(wanted)}`)),
    cancel: async (wish) => view(await ask('orders', 'POST', 'order/cancel', wish)),
    advance: async (wish) => view(await ask('orders', 'POST', 'order/logistics', wish)),
  }
}
