import type { InvoiceIssued } from '@tideshop/contracts/invoices'
import { expect, test } from 'vitest'
import {
  giveUp,
  hear,
  isKept,
  type Ledger,
  newLedger,
  noteSent,
  reportOf,
  tellReport,
} from './queue-ledger.ts'

const order = (orderId: string, totalCents = 300) => ({ orderId, totalCents })
const invoice = (orderId: string, number: string, totalCents = 300): InvoiceIssued => ({
  type: 'invoices.invoice-issued.v1',
  id: `${orderId}:invoice`,
  orderId,
  customerId: 'load',
  number,
  file: `${number}.html`,
  totalCents,
  issuedAt: '2026-11-24T12:00:00.000Z',
})

/** Two orders, sent at 0. */
function twoSent(): Ledger {
  const ledger = newLedger()
  for (const orderId of ['a', 'b']) noteSent(ledger, order(orderId), 0)
  return ledger
}

test('an invoice for each order is what was asked, and the time is from sent to told', () => {
  const ledger = twoSent()
  expect(hear(ledger, invoice('a', 'TS-1'), 40)).toBe(true)
  expect(hear(ledger, invoice('b', 'TS-2'), 60)).toBe(true)
  const report = reportOf(ledger)
  expect(report).toMatchObject({ sent: 2, issued: 2, open: 0, sentToIssuedMs: { p50: 40, max: 60 } })
  expect(isKept(report)).toBe(true)
})

test('what is told again in the same words is no second invoice', () => {
  const ledger = twoSent()
  for (const at of [10, 20]) hear(ledger, invoice('a', 'TS-1'), at)
  expect(reportOf(ledger)).toMatchObject({ issued: 1, toldAgain: 1, doubled: 0, sentToIssuedMs: { max: 10 } })
})

test('the invoice of somebody else’s order is left alone', () => {
  const ledger = twoSent()
  expect(hear(ledger, invoice('c', 'TS-1'), 10)).toBe(false)
  expect(reportOf(ledger)).toMatchObject({ issued: 0, toldAgain: 0 })
})

test.each<[string, 'doubled' | 'wrong' | 'lost', InvoiceIssued[], RegExp]>([
  [
    'has two invoices',
    'doubled',
    [invoice('a', 'TS-1'), invoice('a', 'TS-2')],
    /TS-1, and otherwise as TS-2/,
  ],
  ['has the number of another', 'doubled', [invoice('b', 'TS-1'), invoice('a', 'TS-1')], /invoice of b/],
  ['is to pay another sum', 'wrong', [invoice('a', 'TS-1', 299)], /299 cents, not 300/],
  ['has none', 'lost', [invoice('b', 'TS-1')], /no invoice, and none of others, for 60 s/],
])('an order that %s is found out', (_, fate, told, why) => {
  const ledger = twoSent()
  for (const issued of told) hear(ledger, issued, 10)
  giveUp(ledger, 60)
  const report = reportOf(ledger)
  expect(isKept(report)).toBe(false)
  expect(report.failures.find(({ orderId }) => orderId === 'a')).toMatchObject({
    fate,
    why: expect.stringMatching(why),
  })
  expect(tellReport(report)).toMatch(why)
})

test('after Ctrl-C nobody knows what becomes of the rest: it is open, and nothing is lost', () => {
  const ledger = twoSent()
  hear(ledger, invoice('a', 'TS-1'), 10)
  const report = reportOf(ledger)
  expect(report).toMatchObject({ issued: 1, open: 1, lost: 0 })
  expect(isKept(report)).toBe(true)
})
