import { type Quote, type QuoteBody, quoteView } from '@tideshop/contracts/pricing'

/**
 * What `pnpm load grpc` asks, and what has to be answered. The price is reckoned here once more, by what the offers say in words: a
 * dozen of a kind is 5 % cheaper, WELCOME10 takes another 10 % of each line, and every part of a cent stays with the shop.
 */
export type Question = { body: QuoteBody; totalCents: number }

/** Of the prices of this moment, so that no sale of the calendar comes into it. */
const AT = '2026-11-24T12:00:00Z'
const VOUCHER = 'WELCOME10'
const DOZEN = 12
const PRICES = 997

/** No two of a thousand alike; every second one with a voucher. */
export function questionOf(index: number): Question {
  const unitPriceCents = 101 + (index % PRICES)
  const lines = [
    { sku: 'LOAD-0001', unitPriceCents, quantity: 1 + (index % (DOZEN - 1)) },
    { sku: 'LOAD-0002', unitPriceCents: unitPriceCents + 7, quantity: DOZEN },
  ]
  const voucherCodes = index % 2 === 0 ? [] : [VOUCHER]
  const totalCents = lines.reduce((sum, { quantity, unitPriceCents: each }) => {
    const full = each * quantity
    const dozen = quantity >= DOZEN ? less(full, 5) : full
    return sum + (voucherCodes.length > 0 ? less(dozen, 10) : dozen)
  }, 0)
  return { body: { lines, voucherCodes, at: AT }, totalCents }
}

/** Null for the right answer. */
export function faultOf({ totalCents }: Question, status: number, text: string): string | null {
  if (status !== 200) return `${status} ${text.slice(0, 200)}`
  const quote = quoteIn(text)
  if (quote === null) return `no quote: ${text.slice(0, 200)}`
  return quote.totalCents === totalCents ? null : `${quote.totalCents} cents, not ${totalCents}`
}

function quoteIn(text: string): Quote | null {
  try {
    return quoteView.parse(JSON.parse(text))
  } catch {
    return null
  }
}

function less(cents: number, percent: number): number {
  return cents - Math.floor((cents * percent) / 100)
}
