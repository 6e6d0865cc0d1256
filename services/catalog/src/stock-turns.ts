import {
  STOCK_ACTOR,
  type StockAnswer,
  type StockMethod,
  type StockWish,
  stockAnswer,
} from '@tideshop/contracts/catalog'
import { atMost } from '@tideshop/kit/at-most'
import type { Sidecar } from '@tideshop/kit/sidecar'

/** Milliseconds for one turn, with those that wait before it, and while the actor moves. */
const TURN_TIMEOUT_MS = 5000
/** On their way at once. Half of the connections to the sidecar, which the turns themselves need for their state. */
const TURNS_MAX = 32

/** Asks the actor of a good, wherever it lives. Throws when it did not answer; then it may have been done. */
export type AskStock = <M extends StockMethod>(
  sku: string,
  method: M,
  wish: StockWish<M>,
) => Promise<StockAnswer>

export function stockTurns(sidecar: Sidecar): AskStock {
  const inTurn = atMost(TURNS_MAX)
  return (sku, method, wish) =>
    inTurn(async () => {
      const { status, body } = await sidecar.send({
        method: 'POST',
        path: `/v1.0/actors/${STOCK_ACTOR}/${sku}/method/${method}`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(wish),
        timeoutMs: TURN_TIMEOUT_MS,
      })
      if (status !== 200) throw new Error(`the stock of ${sku} did not answer ${method}: ${status} ${body}`)
      return stockAnswer.parse(JSON.parse(body.toString()))
    })
}
