import { answerIn } from '@tideshop/clients/answer'
import { patient } from '@tideshop/clients/patience'
import { queryOf } from '@tideshop/clients/query'
import { type FindLowStock, type LowStockPage, lowStockPage } from '@tideshop/contracts/catalog'
import type { OrdersOfDay } from '@tideshop/contracts/jobs'
import { expiredOrders, orderStatistics } from '@tideshop/contracts/orders'
import type { Invoke } from '@tideshop/kit/invoke'

/** What jobs asks of the others. Each may be asked twice, and rejects when it was not answered. */
export type Shop = {
  /** Returns how many have expired now. */
  expireOrders: () => Promise<number>
  /** Of the orders placed on that day. */
  statisticsOf: (day: string) => Promise<Omit<OrdersOfDay, 'takenAt'>>
  /** One page. */
  lowStock: (wanted: FindLowStock) => Promise<LowStockPage>
}

/** `wakeWaitMs`: how long a call that nobody answers is repeated. */
export function shopThrough(invoke: Invoke, wakeWaitMs: number): Shop {
  const askOrders = patient(invoke, wakeWaitMs)
  const askCatalog = patient(invoke, wakeWaitMs)
  return {
    async expireOrders() {
      return answerIn('orders', expiredOrders, await askOrders('orders', 'POST', 'orders/expire', {})).expired
    },
    async statisticsOf(wanted) {
      const answer = await askOrders('orders', 'GET', `orders/statistics${queryOf({ day: wanted })}`)
      const { day: _, ...statistics } = answerIn('orders', orderStatistics, answer)
      return statistics
    },
    async lowStock(wanted) {
      return answerIn(
        'catalog',
        lowStockPage,
        await askCatalog('catalog', 'GET', `stock/low${queryOf(wanted)}`),
      )
    },
  }
}
