import {
  STOCK_ACTOR,
  type StockAnswer,
  type StockDelivery,
  type StockView,
  stockAnswer,
} from '@tideshop/contracts/catalog'
import { Refusal } from '@tideshop/kit/refusal'
import type { Sidecar, SidecarResponse } from '@tideshop/kit/sidecar'
import { patienceFor } from './patience.ts'

/** What the door asks of the stock of a good. Each rejects with the refusal that its caller should read. */
export type Stock = {
  read: (sku: string) => Promise<StockView>
  /** More pieces came. The same id is the same delivery, however often it is told. */
  deliver: (sku: string, delivery: StockDelivery) => Promise<StockDelivery>
}

/** Milliseconds for one turn, with those that wait before it, and while the actor moves. */
const TURN_TIMEOUT_MS = 5000

/** A turn of the actor, by the caller's own sidecar. `wakeWaitMs`: how long one waits for `catalog` to wake. */
export function stockThrough(sidecar: Sidecar, wakeWaitMs: number): Stock {
  const patiently = patienceFor<SidecarResponse>(
    wakeWaitMs,
    ({ status }) => status !== 200,
    TURN_TIMEOUT_MS / 2,
  )

  async function turn(sku: string, method: 'read' | 'restock', wish: object): Promise<StockAnswer> {
    const asked = {
      method: 'PUT',
      path: `/v1.0/actors/${STOCK_ACTOR}/${encodeURIComponent(sku)}/method/${method}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(wish),
      timeoutMs: TURN_TIMEOUT_MS,
    } as const
    const { status, body } = await patiently(() => sidecar.send(asked).catch(notAnswered))
    if (status !== 200) return notAnswered()
    const answer = stockAnswer.parse(JSON.parse(body.toString()))
    if ('refusal' in answer) throw new Refusal(answer.refusal.code, answer.refusal.message)
    return answer
  }

  return {
    async read(sku) {
      const answer = await turn(sku, 'read', {})
      if ('stock' in answer) return answer.stock
      throw new Error(`the stock of ${sku} answered something else`)
    },
    async deliver(sku, delivery) {
      const answer = await turn(sku, 'restock', delivery)
      if ('delivery' in answer) return answer.delivery
      throw new Error(`the stock of ${sku} answered something else`)
    },
  }
}

function notAnswered(): never {
  throw new Refusal('uncertain', 'the stock did not answer: say it again, with the same id')
}
