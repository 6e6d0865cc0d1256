import { type LowGood, STOCK_ACTOR, stockAnswer } from '@tideshop/contracts/catalog'
import type { Row } from '@tideshop/kit/aggregates'
import { Refusal } from '@tideshop/kit/refusal'
import type { Sidecar } from '@tideshop/kit/sidecar'
import type { Good } from './good.ts'

/**
 * Which goods are running out: nobody but its actor knows how much there is of a good, so each one that is looked at is a turn.
 * A page of them fits into the second that a caller gives, beside the customers' turns.
 */

/** Turns on their way at once. */
const TURNS_MAX = 8
/** Milliseconds for one turn. */
const TURN_TIMEOUT_MS = 600

/** Free pieces of each. */
export async function levelsOf(sidecar: Sidecar, goods: readonly Row<Good>[]): Promise<LowGood[]> {
  const levels: LowGood[] = []
  for (let at = 0; at < goods.length; at += TURNS_MAX) {
    const some = goods.slice(at, at + TURNS_MAX)
    levels.push(
      ...(await Promise.all(
        some.map(async ({ id: sku, body }) => ({ sku, name: body.name, free: await freeOf(sidecar, sku) })),
      )),
    )
  }
  return levels
}

async function freeOf(sidecar: Sidecar, sku: string): Promise<number> {
  const answer = await sidecar
    .send({
      method: 'POST',
      path: `/v1.0/actors/${STOCK_ACTOR}/${sku}/method/read`,
      headers: { 'content-type': 'application/json' },
      body: '{}',
      timeoutMs: TURN_TIMEOUT_MS,
    })
    .catch(() => null)
  if (answer?.status !== 200) throw new Refusal('unavailable', `the stock of ${sku} does not answer`)
  const said = stockAnswer.parse(JSON.parse(answer.body.toString()))
  if (!('stock' in said)) throw new Refusal('unavailable', `the stock of ${sku} cannot be read`)
  return said.stock.free
}
