import type { TestCard } from '@tideshop/contracts/payments'

/**
 * Whoever moves the money: a company outside, behind two calls. `key` is the order. As with real providers the same key is the same
 * charge, however often it is asked for; so whoever got no answer asks again. Both throw when there is none.
 */
export type Provider = {
  charge: (charge: Charge) => Promise<ChargeAnswer>
  /** Gives back what was charged, 0 where nothing was, and sees to it that nothing will be charged under this key any more. */
  refund: (key: string) => Promise<{ cents: number }>
}

export type Charge = { key: string; cents: number; card: TestCard }

export type ChargeAnswer =
  /** `againAt`: it will say so a second time. */
  | { outcome: 'approved'; againAt?: string }
  | { outcome: 'declined'; reason: string }
  /** It knows at that time. */
  | { outcome: 'pending'; until: string }
