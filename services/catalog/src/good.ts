import { isDeepStrictEqual } from 'node:util'
import { type GoodView, type PutGood, picturePath } from '@tideshop/contracts/catalog'
import type { Row } from '@tideshop/kit/aggregates'
import { Refusal } from '@tideshop/kit/refusal'
import type { Category } from './category.ts'
import { type Sale, viewSale } from './sale.ts'
import { demandVersion } from './version.ts'
import { wordsOf } from './words.ts'

export type Good = Omit<PutGood, 'version'> & {
  /** What it is found by. */
  words: readonly string[]
}

/** `category` is the one that the wish names; null when there is none. Throws when the wish was made on another version. */
export function putGood(
  current: Row<Good> | null,
  { version, ...wish }: PutGood,
  category: Category | null,
): Good {
  if (category === null) throw new Refusal('invalid', `there is no category ${wish.category}`)
  const next = { ...wish, words: wordsOf(`${wish.name} ${wish.description} ${category.name}`) }
  // What is there already is done: the first answer may have been lost.
  if (current !== null && isDeepStrictEqual(current.body, next)) return current.body
  demandVersion(current, version)
  return next
}

export function viewGood({ id, version, body }: Row<Good>, sale: Row<Sale> | undefined, now: Date): GoodView {
  const { name, description, category, priceCents } = body
  const shown = { sku: id, name, description, category, priceCents, picture: picturePath(id), version }
  return sale === undefined ? shown : { ...shown, sale: viewSale(sale, now) }
}
