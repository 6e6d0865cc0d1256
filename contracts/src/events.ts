import type { EventContract } from '@tideshop/kit/event'
import { userApproveResponse } from './approvals.ts'
import { orderStockResponse } from './catalog.ts'
import { userCreate } from './operations.ts'
import { orderPayment, orderStock } from './orders.ts'
import { orderPaymentResponse } from './payments.ts'
import { userApprove, userCreateResponse } from './users.ts'

/** An event as one who reads about it needs it. */
export type SaidEvent = Omit<EventContract<unknown>, 'tell'>

/** Everything that is said on a topic, in the order in which it is said. A test holds it to the list of topics. */
export const events: readonly SaidEvent[] = [
  userCreate,
  userApprove,
  userApproveResponse,
  userCreateResponse,
  orderStock,
  orderStockResponse,
  orderPayment,
  orderPaymentResponse,
]
