import { z } from 'zod'
import { goodView, sku } from './catalog.ts'
import { LINES_MAX, quantity, quoteView, VOUCHERS_MAX, voucherCode } from './pricing.ts'

/**
 * What `basket` says to the shop's door over HTTP, and what the door makes of it. A basket knows what and how many, and no price:
 * what it costs is asked anew each time that somebody looks.
 */

/** Of who has no account: made by the door, kept in a cookie; nobody can guess another one's. */
export const guestId = z.uuidv7()
/** Whose basket it is: a guest's, or that of an account, which the door makes of who the issuer says it is, a UUIDv8. */
export const customerId = z
  .uuid()
  .refine((id) => /^.{14}[78]/.test(id), 'needs to be the id of a guest or of an account')

const line = z.strictObject({ sku, quantity })

const voucherCodes = z
  .array(voucherCode)
  .max(VOUCHERS_MAX)
  .refine((codes) => new Set(codes).size === codes.length, 'each code may stand there once only')

/** `GET /basket?customer=`: one that nobody has filled is empty. */
export const basketView = z.strictObject({ lines: z.array(line).max(LINES_MAX), voucherCodes })
export type BasketView = z.infer<typeof basketView>

/**
 * Each says how one thing shall be, not how a basket shall be: so two tabs that change it at the same time both have their
 * way. And none says by how much, so a change that comes twice is done once.
 */
export const basketChange = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('put-line'), sku, quantity }),
  z.strictObject({ kind: z.literal('remove-line'), sku }),
  z.strictObject({ kind: z.literal('put-vouchers'), voucherCodes }),
  /** What was ordered. A line that was changed meanwhile stays, and so does one that came. */
  z.strictObject({ kind: z.literal('take-ordered'), lines: z.array(line).max(LINES_MAX) }),
  z.strictObject({ kind: z.literal('clear') }),
])
export type BasketChange = z.infer<typeof basketChange>

/** `POST /basket/change`. */
export const changeOfBasket = z.strictObject({ customerId, change: basketChange })
export type ChangeOfBasket = z.infer<typeof changeOfBasket>

export const changedBasket = z.object({
  basket: basketView,
  /** Seconds for which it is kept, unless it is changed again. */
  keptS: z.int().min(1),
})
export type ChangedBasket = z.infer<typeof changedBasket>

/** `PUT /api/basket/lines/:sku`. */
export const putLine = z.strictObject({ quantity })
/** `PUT /api/basket/vouchers`: instead of those that were there. */
export const putVouchers = z.strictObject({ voucherCodes })

/** `GET /api/basket`: what is in it, as it is sold now. */
export const pricedBasket = z.object({
  lines: z.array(
    z.object({
      ...line.shape,
      available: z.boolean().meta({ description: 'Whether the shop still sells it' }),
      good: goodView.optional(),
    }),
  ),
  voucherCodes,
  quote: quoteView.nullable().meta({ description: 'The price of what is available; null where nothing is' }),
})
export type PricedBasket = z.infer<typeof pricedBasket>
