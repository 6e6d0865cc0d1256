import { setTimeout as sleep } from 'node:timers/promises'
import { basketView } from '@tideshop/contracts/basket'
import { Refusal } from '@tideshop/kit/refusal'
import type { Sidecar } from '@tideshop/kit/sidecar'
import { stateStore } from '@tideshop/kit/state'
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
  const state = stateStore(sidecar, STORE, {
    unavailable: 'baskets cannot be read just now',
    uncertain: 'the basket may have been changed, or not: look at it, or say it again',
  })
  // In each write: one without keeps what it writes for ever.
  const metadata = { ttlInSeconds: String(ttlS) }

  async function load(customerId: string): Promise<Kept> {
    const kept = await state.read(customerId, SIDECAR_TIMEOUT_MS)
    if (kept === null) return { basket: emptyBasket, etag: undefined }
    return { basket: basketView.parse(kept.value), etag: kept.etag }
  }

  return {
    read: async (customerId) => (await load(customerId)).basket,

    async change(customerId, decide) {
      const giveUpAt = performance.now() + CHANGE_WITHIN_MS
      for (let tried = 1; tried <= TRIES_MAX && performance.now() < giveUpAt; tried += 1) {
        const { basket, etag } = await load(customerId)
        const next = decide(basket)
        if (await state.write({ key: customerId, value: next, etag, metadata }, SIDECAR_TIMEOUT_MS))
          return next
        await sleep(Math.random() * STEP_ASIDE_MS * tried)
      }
      throw new Refusal('unavailable', 'too many change this basket at once')
    },
  }
}
