import { type IssueInvoice, issueInvoice } from '@tideshop/contracts/invoices'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { order } from '../test/orders.ts'
import { documentOf, escaped, euros } from './document.ts'
import {
  demandSameOrder,
  demandSum,
  fileOf,
  issue,
  lineTotalCents,
  subtotalCents,
  tellIssued,
} from './invoice.ts'

const noon = new Date('2026-11-21T12:00:00Z')

const line = fc
  .record({
    sku: fc.stringMatching(/^[\w.-]{1,12}$/),
    name: fc.constantFrom('Cup', 'Lantern <brass> & "more"', "Hook, 3'"),
    unitPriceCents: fc.integer({ min: 0, max: 10_000_000 }),
    quantity: fc.integer({ min: 1, max: 1000 }),
    share: fc.integer({ min: 0, max: 100 }),
  })
  .map(({ share, ...rest }) => ({
    ...rest,
    discountCents: Math.floor((rest.unitPriceCents * rest.quantity * share) / 100),
  }))

/** Orders that add up. */
const orders = fc
  .record({
    lines: fc.array(line, { minLength: 1, maxLength: 100 }),
    share: fc.integer({ min: 0, max: 100 }),
  })
  .map(({ lines, share }) => {
    const sum = subtotalCents(order({ lines }))
    const discountCents = Math.floor((sum * share) / 100)
    return order({ lines, discountCents, totalCents: sum - discountCents })
  })

test('every order that adds up is taken, whatever its size, and no cent is lost', () => {
  fc.assert(
    fc.property(orders, (asked) => {
      expect(() => demandSum(issueInvoice.parse(asked))).not.toThrow()
      const exact = asked.lines.reduce((sum, one) => sum + exactOf(one), 0n) - BigInt(asked.discountCents)
      expect(BigInt(asked.totalCents)).toBe(exact)
    }),
  )
})

test('one cent beside the sum is refused, above and below', () => {
  fc.assert(
    fc.property(orders, fc.constantFrom(-1, 1), (asked, beside) => {
      const wrong = { ...asked, totalCents: asked.totalCents + beside }
      expect(() => demandSum(wrong)).toThrow(`lines and discounts come to ${asked.totalCents}`)
    }),
  )
})

test('every amount of the document is the one that was asked, in euros', () => {
  fc.assert(
    fc.property(orders, (asked) => {
      const document = documentOf(issue(asked, 1, noon))
      const amounts = [...document.matchAll(/<td class="amount">(−?€[\d,]+\.\d\d)<\/td>/g)].map(
        ([, text = '']) => text,
      )
      const ofLines = asked.lines.flatMap((one) => [
        one.unitPriceCents,
        -one.discountCents,
        lineTotalCents(one),
      ])
      const atTheEnd = asked.discountCents > 0 ? [subtotalCents(asked), -asked.discountCents] : []
      expect(amounts.map(centsIn)).toEqual(
        [...ofLines, ...atTheEnd, asked.totalCents].map((cents) => cents + 0),
      )
    }),
    { numRuns: 50 },
  )
})

test('amounts are written for people', () => {
  expect([0, 5, 99, 100, 123_456_789, -350].map(euros)).toEqual([
    '€0.00',
    '€0.05',
    '€0.99',
    '€1.00',
    '€1,234,567.89',
    '−€3.50',
  ])
})

test('a document says who, what and how much, in an order in which it can be read aloud', () => {
  const document = documentOf(issue(order(), 42, noon))
  const said = document
    .replace(/<style>.*<\/style>/s, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
  expect(said).toMatch(/Invoice TS-000042 Issued 21 November 2026 .*To Hans 1 Quay Harbour/)
  expect(said).toMatch(
    /Cup CUP-0001 €9\.99 3 −€0\.97 €29\.00 Lantern LMP-0101 €1,234\.50 1 €0\.00 €1,234\.50/,
  )
  expect(said).toMatch(/Subtotal €1,263\.50 Discount −€3\.50 Total €1,260\.00 $/)
  expect(document).toMatch(/^<!doctype html>\n<html lang="en">/)
  // Each cell has a head, in its row and in its column.
  expect(document.match(/<th scope="col"/g)).toHaveLength(5)
  expect(document.match(/<th scope="row"/g)).toHaveLength(5)
  expect(document).not.toMatch(/<script|<img|https?:/)
})

test('what a customer calls himself is text', () => {
  const name = `<script>alert("&'")</script>`
  const document = documentOf(issue(order({ customer: { id: 'c', name, address: [name] } }), 1, noon))
  expect(document).not.toContain('<script')
  expect(document.split(escaped(name))).toHaveLength(3)
})

test('the same invoice gives the same bytes and the same words, whenever it is asked', () => {
  const invoice = issue(order(), 7, noon)
  expect(documentOf(structuredClone(invoice))).toBe(documentOf(invoice))
  expect(tellIssued(structuredClone(invoice))).toEqual(tellIssued(invoice))
  expect(tellIssued(invoice)).toMatchObject({ id: `${invoice.order.orderId}:invoice`, file: fileOf(invoice) })
})

test('an order is its own invoice’s, and another is not', () => {
  const invoice = issue(order(), 1, noon)
  expect(() => demandSameOrder(invoice, structuredClone(invoice.order))).not.toThrow()
  expect(() => demandSameOrder(invoice, { ...invoice.order, discountCents: 1 })).toThrow(/TS-000001/)
})

function exactOf({ unitPriceCents, quantity, discountCents }: IssueInvoice['lines'][number]): bigint {
  return BigInt(unitPriceCents) * BigInt(quantity) - BigInt(discountCents)
}

function centsIn(text: string): number {
  const cents = Number(text.replace(/\D/g, ''))
  return text.startsWith('−') ? -cents : cents
}
