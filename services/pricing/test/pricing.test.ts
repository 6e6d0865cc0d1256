import { Code, type ConnectError, createClient } from '@connectrpc/connect'
import { Pricing } from '@tideshop/contracts/gen/pricing_pb'
import { basketMessage, plainQuote, timeMessage } from '@tideshop/contracts/pricing'
import { BadRequestSchema } from '@tideshop/kit/gen/google/rpc/error_details_pb'
import { serveBoth } from '@tideshop/kit/test/grpc'
import { noon, quietParts } from '@tideshop/kit/test/parts'
import { expect, test } from 'vitest'
import { pricingApp, pricingGrpc } from '../src/app.ts'
import type { Offer } from '../src/offers.ts'

const day = { from: '2026-11-21T00:00:00Z', until: '2026-11-22T00:00:00Z' }

function sale(window: { from: string; until: string }): Offer {
  const rule = { kind: 'percentage', percent: 10, covers: 'everything' } as const
  return {
    id: 'sale',
    reason: 'sale',
    rule,
    isVoucher: false,
    minBasketCents: 0,
    isCombinable: true,
    ...window,
  }
}

async function shop(offers: readonly Offer[] = [sale(day)], now = () => noon) {
  const leaving = new AbortController()
  const parts = { ...quietParts('pricing'), offers, now, leaving: leaving.signal }
  const { transport } = await serveBoth(pricingApp(parts), pricingGrpc(parts))
  return { leaving, pricing: createClient(Pricing, transport) }
}

const asked = basketMessage({
  lines: [{ sku: 'tea', unitPriceCents: 999, quantity: 3 }],
  voucherCodes: ['ten'],
})

test('a quote is of now', async () => {
  const { pricing } = await shop()
  expect(plainQuote(await pricing.quote(asked))).toEqual({
    lines: [
      {
        sku: 'tea',
        unitPriceCents: 999,
        quantity: 3,
        discounts: [{ offer: 'sale', reason: 'sale', cents: 299 }],
        totalCents: 2698,
      },
    ],
    discounts: [],
    subtotalCents: 2997,
    totalCents: 2698,
    vouchers: [{ code: 'TEN', applied: false, reason: 'there is no such voucher' }],
    at: noon.toISOString(),
  })
})

test('or of the moment that is asked for', async () => {
  const { pricing } = await shop()
  const at = timeMessage('2026-11-22T00:00:00.000Z')
  expect(plainQuote(await pricing.quote({ ...asked, at }))).toMatchObject({
    totalCents: 2997,
    at: '2026-11-22T00:00:00.000Z',
  })
})

const line = { sku: 'tea', unitPriceCents: 1n, quantity: 1 }

test.each<[string, object, string]>([
  ['no lines', { lines: [] }, 'lines'],
  [
    'too many lines',
    { lines: Array.from({ length: 101 }, (_, n) => ({ ...line, sku: `tea-${n}` })) },
    'lines',
  ],
  ['a line twice', { lines: [line, line] }, 'lines'],
  ['a name that is none', { lines: [{ ...line, sku: 'te a' }] }, 'lines[0].sku'],
  ['a price below zero', { lines: [{ ...line, unitPriceCents: -1n }] }, 'lines[0].unitPriceCents'],
  [
    'more cents than can be counted',
    { lines: [{ ...line, unitPriceCents: 2n ** 63n - 1n }] },
    'lines[0].unitPriceCents',
  ],
  ['none of it', { lines: [{ ...line, quantity: 0 }] }, 'lines[0].quantity'],
  ['too much of it', { lines: [{ ...line, quantity: 1001 }] }, 'lines[0].quantity'],
  ['a code that is none', { lines: [line], voucherCodes: ["'"] }, 'voucherCodes[0]'],
  ['too many codes', { lines: [line], voucherCodes: Array(11).fill('TEN') }, 'voucherCodes'],
  ['a time that no calendar has', { lines: [line], at: { seconds: 2n ** 62n, nanos: 0 } }, 'at'],
])('%s is refused, and named', async (_, request, field) => {
  const { pricing } = await shop()
  const error: unknown = await pricing.quote(request).catch((thrown) => thrown)
  expect(error).toMatchObject({ code: Code.InvalidArgument })
  const [details] = (error as ConnectError).findDetails(BadRequestSchema)
  for (const wrong of details?.fieldViolations ?? []) expect(wrong).toMatchObject({ field })
  expect(details?.fieldViolations.length).toBeGreaterThan(0)
})

test('who watches is told the price, and again when it changes', async () => {
  const now = Date.now()
  const soon = { from: new Date(now + 300).toISOString(), until: new Date(now + 600).toISOString() }
  const { pricing } = await shop([sale(soon)], () => new Date())
  const told: number[] = []
  for await (const { quote } of pricing.watch(asked)) {
    told.push(Number(quote?.totalCents))
    if (told.length === 3) break
  }
  expect(told).toEqual([2997, 2698, 2997])
})

test('a watch that asks for rubbish is refused', async () => {
  const { pricing } = await shop()
  await expect(firstOf(pricing.watch({ lines: [] }))).rejects.toMatchObject({ code: Code.InvalidArgument })
})

test('a watch ends with its deadline', async () => {
  const { pricing } = await shop()
  const watch = pricing.watch(asked, { timeoutMs: 300 })[Symbol.asyncIterator]()
  expect((await watch.next()).value.quote).toMatchObject({ totalCents: 2698n })
  await expect(watch.next()).rejects.toMatchObject({ code: Code.DeadlineExceeded })
})

test('a service that leaves lets go of those who watch, and they may ask elsewhere', async () => {
  const { pricing, leaving } = await shop()
  const watch = pricing.watch(asked)[Symbol.asyncIterator]()
  await watch.next()
  leaving.abort()
  await expect(watch.next()).rejects.toMatchObject({ code: Code.Unavailable })
})

test('so many may watch, and when one leaves there is room again', { timeout: 20_000 }, async () => {
  const { pricing } = await shop()
  const callers = Array.from({ length: 500 }, () => new AbortController())
  const watches = callers.map(({ signal }) => pricing.watch(asked, { signal })[Symbol.asyncIterator]())
  await Promise.all(watches.map((watch) => watch.next()))
  await expect(firstOf(pricing.watch(asked))).rejects.toMatchObject({ code: Code.Unavailable })
  callers[0]?.abort()
  await expect
    .poll(() =>
      firstOf(pricing.watch(asked)).then(
        () => 'told',
        () => 'refused',
      ),
    )
    .toBe('told')
})

async function firstOf<T>(watch: AsyncIterable<T>): Promise<T> {
  for await (const told of watch) return told
  throw new Error('nothing was told')
}
