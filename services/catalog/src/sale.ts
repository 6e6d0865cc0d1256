import { isDeepStrictEqual } from 'node:util'
import type { PutSale, SaleView } from '@tideshop/contracts/catalog'
import type { Row } from '@tideshop/kit/aggregates'
import { Refusal } from '@tideshop/kit/refusal'
import { demandVersion } from './version.ts'

/** Times in UTC with milliseconds, so that they compare as texts, also in the database. */
export type Sale = Omit<PutSale, 'version'>

/** `good` is the one that the wish names; null when there is none. Throws when the wish was made on another version. */
export function putSale(
  current: Row<Sale> | null,
  { version, ...wish }: PutSale,
  good: { priceCents: number } | null,
): Sale {
  if (good === null) throw new Refusal('invalid', `there is no good ${wish.sku}`)
  if (wish.priceCents >= good.priceCents) {
    throw new Refusal('invalid', `a sale has to be cheaper than ${good.priceCents} cents`)
  }
  const next = { ...wish, startsAt: inUtc(wish.startsAt), endsAt: inUtc(wish.endsAt) }
  // What is there already is done: the first answer may have been lost.
  if (current !== null && isDeepStrictEqual(current.body, next)) return current.body
  demandVersion(current, version)
  return next
}

export function viewSale({ id, version, body }: Row<Sale>, now: Date): SaleView {
  const { sku, title, priceCents, startsAt, endsAt, perCustomerMax } = body
  return { id, sku, title, priceCents, startsAt, endsAt, perCustomerMax, state: stateOf(body, now), version }
}

function stateOf({ startsAt, endsAt }: Sale, now: Date): SaleView['state'] {
  const time = now.toISOString()
  if (time < startsAt) return 'upcoming'
  return time < endsAt ? 'running' : 'ended'
}

/** Of the sales that run, the cheapest for each good. */
export function bestBySku(running: readonly Row<Sale>[]): Map<string, Row<Sale>> {
  const dearestFirst = running.toSorted((one, other) => other.body.priceCents - one.body.priceCents)
  return new Map(dearestFirst.map((sale) => [sale.body.sku, sale]))
}

function inUtc(time: string): string {
  return new Date(time).toISOString()
}
