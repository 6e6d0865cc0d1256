import type { Basket, Line, Quote } from '@tideshop/contracts/pricing'
import type { Offer, Rule } from './offers.ts'

/**
 * What a basket costs. Each offer takes from what the one before it left, so nothing ever costs less than nothing; discounts
 * are whole cents, rounded down. The order of lines and of codes changes nothing, and one more code never makes a basket
 * dearer. Of offers that cannot be combined the best one counts, if it beats all that can be combined.
 */
export function quote(basket: Basket, offers: readonly Offer[], at: Date): Quote {
  const subtotalCents = sum(basket.lines.map(fullPrice))
  const codes = codesIn(basket)
  const open = offers.filter((offer) => isFor(codes, offer) && whyNot(offer, subtotalCents, at) === null)

  const together = open.filter(({ isCombinable }) => isCombinable)
  const alone = open.filter(({ isCombinable }) => !isCombinable).map((offer) => [offer])
  const price = alone
    .map((offer) => priceWith(offer, basket.lines))
    .reduce(theLess, priceWith(together, basket.lines))

  const vouchers = [...codes].map((code) => {
    const reason = whyNotApplied(code, { offers, price, subtotalCents, at })
    return { code, applied: reason === null, ...(reason !== null && { reason }) }
  })
  return { ...price, subtotalCents, vouchers, at: at.toISOString() }
}

/** When the price of this basket may change next, for all that is known now; null for never. */
export function nextChange(basket: Basket, offers: readonly Offer[], at: Date): Date | null {
  const codes = codesIn(basket)
  const times = offers
    .filter((offer) => isFor(codes, offer))
    .flatMap(({ from, until }) => [Date.parse(from), Date.parse(until)])
    .filter((time) => time > at.getTime())
  return times.length === 0 ? null : new Date(Math.min(...times))
}

type Price = Pick<Quote, 'lines' | 'discounts' | 'totalCents'>
type Discount = Quote['discounts'][number]

function codesIn({ voucherCodes }: Basket): ReadonlySet<string> {
  return new Set(voucherCodes.map((code) => code.toUpperCase()))
}

function isFor(codes: ReadonlySet<string>, { id, isVoucher }: Offer): boolean {
  return !isVoucher || codes.has(id)
}

function whyNot({ from, until, minBasketCents }: Offer, subtotalCents: number, at: Date): string | null {
  if (at.getTime() < Date.parse(from)) return `begins at ${from}`
  if (at.getTime() >= Date.parse(until)) return `ended at ${until}`
  if (subtotalCents < minBasketCents) return `needs goods for ${minBasketCents} cents`
  return null
}

type Known = { offers: readonly Offer[]; price: Price; subtotalCents: number; at: Date }

function whyNotApplied(code: string, { offers, price, subtotalCents, at }: Known): string | null {
  const offer = offers.find(({ id, isVoucher }) => isVoucher && id === code)
  if (offer === undefined) return 'there is no such voucher'
  if (taken(price).some(({ offer: id }) => id === code)) return null
  return whyNot(offer, subtotalCents, at) ?? 'takes nothing off this basket beside what does already'
}

function taken({ lines, discounts }: Price): Discount[] {
  return [...lines.flatMap((line) => line.discounts), ...discounts]
}

function theLess(one: Price, other: Price): Price {
  return other.totalCents < one.totalCents ? other : one
}

/** Quantity before percentages before amounts, whatever the order of the list: three for two is of the full price. */
const TURN: Record<Rule['kind'], number> = {
  'n-for-m': 0,
  'tiered-quantity': 1,
  percentage: 2,
  'fixed-amount': 3,
}

function priceWith(offers: readonly Offer[], basketLines: readonly Line[]): Price {
  const inTurn = offers.toSorted((one, other) => TURN[one.rule.kind] - TURN[other.rule.kind])
  const lines = basketLines.map((line) => {
    const [discounts, totalCents] = apply(inTurn, fullPrice(line), (rule, left) => offLine(rule, line, left))
    return { ...line, discounts, totalCents }
  })
  const [discounts, totalCents] = apply(inTurn, sum(lines.map((line) => line.totalCents)), offBasket)
  return { lines, discounts, totalCents }
}

/** What each offer takes from `cents`, and what is left at the end. */
function apply(
  offers: readonly Offer[],
  cents: number,
  off: (rule: Rule, leftCents: number) => number,
): [Discount[], number] {
  const discounts: Discount[] = []
  let leftCents = cents
  for (const { id, reason, rule } of offers) {
    const discountCents = Math.min(leftCents, off(rule, leftCents))
    if (discountCents > 0) discounts.push({ offer: id, reason, cents: discountCents })
    leftCents -= discountCents
  }
  return [discounts, leftCents]
}

function offLine(rule: Rule, { sku, unitPriceCents, quantity }: Line, leftCents: number): number {
  if (rule.kind === 'fixed-amount') return 0
  if (rule.covers !== 'everything' && !rule.covers.includes(sku)) return 0
  switch (rule.kind) {
    case 'n-for-m':
      return Math.floor(quantity / rule.take) * (rule.take - rule.pay) * unitPriceCents
    case 'tiered-quantity':
      return percentOf(leftCents, rule.tiers.findLast(({ from }) => quantity >= from)?.percent ?? 0)
    case 'percentage':
      return percentOf(leftCents, rule.percent)
  }
}

function offBasket(rule: Rule): number {
  return rule.kind === 'fixed-amount' ? rule.cents : 0
}

function percentOf(cents: number, percent: number): number {
  return Math.floor((cents * percent) / 100)
}

function fullPrice({ unitPriceCents, quantity }: Line): number {
  return unitPriceCents * quantity
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
