import type { MessageInitShape } from '@bufbuild/protobuf'
import { type Timestamp, timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt'
import { z } from 'zod'
import type { Discount, QuoteRequest, QuoteResponse, QuoteResponseSchema } from '../gen/pricing_pb.js'

/**
 * What `pricing` is asked and answers, as the door says it in JSON and as the service reckons with it; pricing.proto says the
 * same to gRPC. The bounds are such that no sum of cents comes near 2^53, so a number is exact.
 */

const UNIT_PRICE_CENTS_MAX = 10_000_000
export const QUANTITY_MAX = 1000
/** Goods in one basket. */
export const LINES_MAX = 100
/** Codes in one basket. */
export const VOUCHERS_MAX = 10

const cents = z.int().min(0)

/** Pieces of one good. */
export const quantity = z.int().min(1).max(QUANTITY_MAX)
export const voucherCode = z.string().regex(/^[A-Za-z0-9-]{1,32}$/)

const line = z.strictObject({
  sku: z.string().regex(/^[\w.-]{1,64}$/),
  unitPriceCents: cents.max(UNIT_PRICE_CENTS_MAX),
  quantity,
})

export const basket = z.strictObject({
  lines: z.array(line).min(1).max(LINES_MAX).refine(areDifferent, 'each sku may stand in one line only'),
  voucherCodes: z.array(voucherCode).max(VOUCHERS_MAX).default([]),
})
export type Basket = z.infer<typeof basket>
export type Line = Basket['lines'][number]

/** `POST /api/prices/quote`. Without `at` it is the price of now. */
export const quoteBody = basket.extend({ at: z.iso.datetime().optional() })
export type QuoteBody = z.infer<typeof quoteBody>

const discount = z.object({ offer: z.string(), reason: z.string(), cents: cents.min(1) })

export const quoteView = z.object({
  lines: z.array(z.object({ ...line.shape, discounts: z.array(discount), totalCents: cents })),
  /** Of the basket as a whole. */
  discounts: z.array(discount),
  subtotalCents: cents,
  totalCents: cents,
  vouchers: z.array(z.object({ code: z.string(), applied: z.boolean(), reason: z.string().optional() })),
  at: z.iso.datetime(),
})
export type Quote = z.infer<typeof quoteView>

function areDifferent(lines: readonly { sku: string }[]): boolean {
  return new Set(lines.map(({ sku }) => sku)).size === lines.length
}

/** What was asked by gRPC, to be checked by the schemas above. Out of their bounds a number may have lost its last digits. */
export function plainBasket({ lines, voucherCodes }: Pick<QuoteRequest, 'lines' | 'voucherCodes'>) {
  return {
    lines: lines.map(({ sku, unitPriceCents, quantity }) => ({
      sku,
      unitPriceCents: Number(unitPriceCents),
      quantity,
    })),
    voucherCodes,
  }
}

/** A time that no calendar has is none that the schema takes. */
export function plainTime(at: Timestamp): string {
  const date = timestampDate(at)
  return Number.isNaN(date.getTime()) ? 'out of range' : date.toISOString()
}

export function basketMessage({ lines, voucherCodes }: Basket) {
  return {
    lines: lines.map((line) => ({ ...line, unitPriceCents: BigInt(line.unitPriceCents) })),
    voucherCodes,
  }
}

export function timeMessage(at: string): Timestamp {
  return timestampFromDate(new Date(at))
}

export function quoteMessage(quote: Quote): MessageInitShape<typeof QuoteResponseSchema> {
  return {
    lines: quote.lines.map((line) => ({
      ...line,
      unitPriceCents: BigInt(line.unitPriceCents),
      totalCents: BigInt(line.totalCents),
      discounts: discountMessages(line.discounts),
    })),
    discounts: discountMessages(quote.discounts),
    subtotalCents: BigInt(quote.subtotalCents),
    totalCents: BigInt(quote.totalCents),
    vouchers: quote.vouchers.map(({ code, applied, reason = '' }) => ({ code, applied, reason })),
    at: timeMessage(quote.at),
  }
}

function discountMessages(discounts: Quote['discounts']) {
  return discounts.map((discount) => ({ ...discount, cents: BigInt(discount.cents) }))
}

/** Throws when it is not what the contract says. */
export function plainQuote(message: QuoteResponse): Quote {
  return quoteView.parse({
    lines: message.lines.map((line) => ({
      ...line,
      unitPriceCents: Number(line.unitPriceCents),
      totalCents: Number(line.totalCents),
      discounts: plainDiscounts(line.discounts),
    })),
    discounts: plainDiscounts(message.discounts),
    subtotalCents: Number(message.subtotalCents),
    totalCents: Number(message.totalCents),
    vouchers: message.vouchers.map(({ code, applied, reason }) => ({
      code,
      applied,
      ...(reason !== '' && { reason }),
    })),
    at: message.at && plainTime(message.at),
  })
}

function plainDiscounts(discounts: readonly Discount[]) {
  return discounts.map(({ offer, reason, cents }) => ({ offer, reason, cents: Number(cents) }))
}
