import { setTimeout as sleep } from 'node:timers/promises'
import { basketView } from '@tideshop/contracts/basket'
import { Refusal } from '@tideshop/kit/refusal'
import type { Sidecar, SidecarResponse } from '@tideshop/kit/sidecar'
import { type Basket, emptyBasket } from './basket.ts'

/**
 * Baskets in a Dapr state store, each under the id of its customer.
 *
 * A change reads, decides purely, and writes what it decided under the ETag of what it read: `first-write`, so who was slower
 * is told 409, reads again and decides again. Of a basket that is not there yet the same, without an ETag.
 *
 * Nothing is ever deleted: an empty basket is written, and goes when its time is over. MongoDB's component takes a write
 * under the ETag of something deleted (docs/dapr-notes.md), so whoever emptied a basket would find it full again.
 */

/** The component's name (components/basket.yaml). */
const STORE = 'basket'
/** Milliseconds for the sidecar to read or write; the door gives the whole call one second. */
const SIDECAR_TIMEOUT_MS = 600
/** Times that a change is decided before its caller is sent away, and the milliseconds within which it is. */
const TRIES_MAX = 10
const CHANGE_WITHIN_MS = 700
/** Milliseconds before another try, at most and for each that was lost: who collided should not do so again. */
const STEP_ASIDE_MS = 4

export type BasketStore = {
  /** Empty when nothing is kept. */
  read: (customerId: string) => Promise<Basket>
  /** Returns what became of it. `decide` runs again when another change came first. */
  change: (customerId: string, decide: (current: Basket) => Basket) => Promise<Basket>
}

type Kept = { basket: Basket; etag: string | undefined }

/** `ttlS`: seconds after its last change until a basket is forgotten. */
export function daprBaskets(sidecar: Sidecar, ttlS: number): BasketStore {
  const path = `/v1.0/state/${STORE}`

  async function load(customerId: string): Promise<Kept> {
    const answer = await sidecar
      .send({ method: 'GET', path: `${path}/${customerId}`, timeoutMs: SIDECAR_TIMEOUT_MS })
      .catch(() => null)
    if (answer?.status === 204) return { basket: emptyBasket, etag: undefined }
    if (answer?.status !== 200) throw new Refusal('unavailable', 'baskets cannot be read just now')
    return { basket: basketView.parse(JSON.parse(answer.body.toString())), etag: etagOf(answer) }
  }

  /** False when somebody else was faster. */
  async function save(customerId: string, basket: Basket, etag: string | undefined): Promise<boolean> {
    const wish = {
      key: customerId,
      value: basket,
      ...(etag !== undefined && { etag }),
      options: { concurrency: 'first-write' },
      // In each write: one without keeps what it writes for ever.
      metadata: { ttlInSeconds: String(ttlS) },
    }
    const answer = await sidecar
      .send({
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify([wish]),
        timeoutMs: SIDECAR_TIMEOUT_MS,
      })
      .catch(() => null)
    if (answer?.status === 409) return false
    if (answer?.status !== 204)
      throw new Refusal('uncertain', 'the basket may have been changed, or not: look at it, or say it again')
    return true
  }

  return {
    read: async (customerId) => (await load(customerId)).basket,

    async change(customerId, decide) {
      const giveUpAt = performance.now() + CHANGE_WITHIN_MS
      for (let tried = 1; tried <= TRIES_MAX && performance.now() < giveUpAt; tried += 1) {
        const { basket, etag } = await load(customerId)
        const next = decide(basket)
        if (await save(customerId, next, etag)) return next
        await sleep(Math.random() * STEP_ASIDE_MS * tried)
      }
      throw new Refusal('unavailable', 'too many change this basket at once')
    },
  }
}

/** Always there: an answer without one would be written over whatever comes between. */
function etagOf({ headers }: SidecarResponse): string {
  const { etag } = headers
  if (typeof etag !== 'string') throw new Error('the state store gave no ETag')
  return etag
}
