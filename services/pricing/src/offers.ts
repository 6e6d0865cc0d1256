/**
 * What makes goods cheaper, and until when: the shop's sales and vouchers, as data. A new one is a line in OFFERS and a
 * deployment; what an offer can be stands in `Rule`, and what comes of it in quote.ts.
 */

export type Rule =
  /** So much of each line that it covers. 1 to 100. */
  | { kind: 'percentage'; percent: number; covers: Covers }
  /** Who takes three pays for two: of each `take` of one line `pay` are paid. */
  | { kind: 'n-for-m'; take: number; pay: number; covers: Covers }
  /** The more of one line, the cheaper: the last tier that its quantity reaches. In ascending order. */
  | { kind: 'tiered-quantity'; tiers: readonly { from: number; percent: number }[]; covers: Covers }
  /** So much of the basket, but not more than it costs. */
  | { kind: 'fixed-amount'; cents: number }

/** Goods by their SKU. */
export type Covers = 'everything' | readonly string[]

export type Offer = {
  /** Of a voucher its code, in capitals. */
  id: string
  /** For the customer to read. */
  reason: string
  rule: Rule
  /** A voucher is given by who has its code, a sale to everybody. */
  isVoucher: boolean
  /** UTC, ISO 8601: from the first moment to just before the second. */
  from: string
  until: string
  /** What the goods must cost before any discount. */
  minBasketCents: number
  /** One that is not stands alone, if it alone is worth more than all that can be combined. */
  isCombinable: boolean
}

const ALWAYS = { from: '2026-01-01T00:00:00Z', until: '2100-01-01T00:00:00Z' }
const SALE = { isVoucher: false, minBasketCents: 0, isCombinable: true }
const VOUCHER = { isVoucher: true, minBasketCents: 0, isCombinable: true }

export const OFFERS: readonly Offer[] = [
  {
    ...SALE,
    ...ALWAYS,
    id: 'by-the-dozen',
    reason: '5 % off from 12 of a kind, 10 % off from 48',
    rule: {
      kind: 'tiered-quantity',
      tiers: [
        { from: 12, percent: 5 },
        { from: 48, percent: 10 },
      ],
      covers: 'everything',
    },
  },
  {
    ...SALE,
    ...ALWAYS,
    id: 'tea-for-two',
    reason: 'three teas for the price of two',
    rule: { kind: 'n-for-m', take: 3, pay: 2, covers: ['tea-green', 'tea-black', 'tea-mint'] },
  },
  {
    ...SALE,
    id: 'spring-tide',
    reason: '15 % off everything at spring tide',
    rule: { kind: 'percentage', percent: 15, covers: 'everything' },
    from: '2027-03-20T00:00:00Z',
    until: '2027-03-24T00:00:00Z',
  },
  {
    ...VOUCHER,
    ...ALWAYS,
    id: 'WELCOME10',
    reason: '10 % off for who is new',
    rule: { kind: 'percentage', percent: 10, covers: 'everything' },
  },
  {
    ...VOUCHER,
    ...ALWAYS,
    id: 'FIVER',
    reason: '5.00 off from 40.00',
    rule: { kind: 'fixed-amount', cents: 500 },
    minBasketCents: 4000,
  },
  {
    ...VOUCHER,
    ...ALWAYS,
    id: 'LOWTIDE25',
    reason: '25 % off, and nothing else beside it',
    rule: { kind: 'percentage', percent: 25, covers: 'everything' },
    isCombinable: false,
  },
  {
    ...VOUCHER,
    id: 'SUMMER26',
    reason: '20 % off in the summer of 2026',
    rule: { kind: 'percentage', percent: 20, covers: 'everything' },
    from: '2026-06-21T00:00:00Z',
    until: '2026-09-23T00:00:00Z',
  },
]
