import { type AskForPage, type Page, page } from '@tideshop/contracts/storefront'
import type { Invoke } from '@tideshop/kit/invoke'
import { Refusal } from '@tideshop/kit/refusal'
import { answerIn } from './answer.ts'
import { patient } from './patience.ts'

/** What the door asks of `storefront`. It rejects with the refusal that a visitor should read. */
export type Storefront = { page: (asked: AskForPage) => Promise<Page> }

/**
 * Milliseconds for one page. Longer than storefront itself waits for whom it asks (its WAKE_WAIT_MS): then it answers, and a page that
 * waits for a service is not taken for a storefront that is away, which would hold up every other page (patience.ts).
 */
export const PAGE_TIMEOUT_MS = 8000

/** `wakeWaitMs`: how long a call that nobody answers is repeated. Forms may come twice: they carry ids. */
export function storefrontThrough(invoke: Invoke, wakeWaitMs: number): Storefront {
  const ask = patient(invoke, wakeWaitMs, PAGE_TIMEOUT_MS / 2)
  return {
    async page(asked) {
      const answer = await ask('storefront', 'POST', 'page', asked).catch((thrown) => {
        throw thrown instanceof Refusal && thrown.code === 'uncertain' ? awayFor(asked) : thrown
      })
      return answerIn('storefront', page, answer)
    },
  }
}

/** Nothing is uncertain about a page that was only looked at. */
function awayFor({ method }: AskForPage): Refusal {
  return method === 'GET'
    ? new Refusal('unavailable', 'the shop does not answer just now')
    : new Refusal('uncertain', 'the shop did not answer: look whether it was done, or send the form again')
}
