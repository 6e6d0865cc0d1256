import { isDeepStrictEqual } from 'node:util'
import type { InvoiceIssued, IssueInvoice } from '@tideshop/contracts/invoices'
import { type Latencies, latencies, perSecond, tellLatencies } from './latencies.ts'

/**
 * What became of the jobs of `pnpm load queue`. A job is `sent`, and then `issued` when `downstream` tells its invoice; told
 * again in the same words it stays so. It is `doubled` when it has two invoices, or shares its number with another order,
 * `wrong` when the sum is not what was asked, and `lost` when nothing came.
 */
export type Fate = 'sent' | 'issued' | 'doubled' | 'wrong' | 'lost'

export type Entry = {
  orderId: string
  totalCents: number
  /** Milliseconds of the monotonic clock, as all times here. */
  sentAt: number
  fate: Fate
  issued?: InvoiceIssued
  ms?: number
  why?: string
}

export type Ledger = {
  startedAt: number
  /** When the last job was sent; null before. */
  sentAt: number | null
  /** When the last new invoice was told. */
  lastAt: number | null
  /** By order. */
  entries: Map<string, Entry>
  /** Entries by the number of their invoice. */
  numbers: Map<string, Entry>
  /** Orders that have been told of. */
  told: number
  /** Results that came once more, in the same words. */
  toldAgain: number
}

export function newLedger(): Ledger {
  return {
    startedAt: performance.now(),
    sentAt: null,
    lastAt: null,
    entries: new Map(),
    numbers: new Map(),
    told: 0,
    toldAgain: 0,
  }
}

type Sent = Pick<IssueInvoice, 'orderId' | 'totalCents'>

export function noteSent({ entries }: Ledger, { orderId, totalCents }: Sent, sentAt: number): void {
  entries.set(orderId, { orderId, totalCents, sentAt, fate: 'sent' })
}

/** Takes down what `downstream` tells. False where it is of an order of somebody else. */
export function hear(ledger: Ledger, issued: InvoiceIssued, now: number): boolean {
  const entry = ledger.entries.get(issued.orderId)
  if (entry === undefined) return false
  if (entry.issued === undefined) hearFirst(ledger, entry, issued, now)
  else if (isDeepStrictEqual(entry.issued, issued)) ledger.toldAgain += 1
  else settle(entry, 'doubled', `told as ${entry.issued.number}, and otherwise as ${issued.number}`)
  return true
}

function hearFirst(ledger: Ledger, entry: Entry, issued: InvoiceIssued, now: number): void {
  const namesake = ledger.numbers.get(issued.number)
  entry.issued = issued
  entry.ms = now - entry.sentAt
  entry.fate = 'issued'
  if (namesake !== undefined)
    settle(entry, 'doubled', `${issued.number} is the invoice of ${namesake.orderId}`)
  if (issued.totalCents !== entry.totalCents) {
    settle(entry, 'wrong', `the sum is ${issued.totalCents} cents, not ${entry.totalCents}`)
  }
  ledger.numbers.set(issued.number, entry)
  ledger.told += 1
  ledger.lastAt = now
}

/** Nobody waits any longer: what was not told is lost. */
export function giveUp({ entries }: Ledger, waitedSeconds: number): void {
  for (const entry of entries.values()) {
    if (entry.fate === 'sent') settle(entry, 'lost', `no invoice, and none of others, for ${waitedSeconds} s`)
  }
}

function settle(entry: Entry, fate: Fate, why: string): void {
  entry.fate = fate
  entry.why = why
}

/** What `--json` writes. Rates are per second, times in milliseconds. */
export type QueueReport = {
  sent: number
  issued: number
  /** Sent, and not told of when Ctrl-C came: nobody knows. */
  open: number
  lost: number
  doubled: number
  wrong: number
  toldAgain: number
  /** From the first that was sent to the last that was told. */
  issuedPerSecond: number
  sentToIssuedMs: Latencies | null
  /** The first of each kind. */
  failures: { fate: Fate; orderId: string; why: string }[]
}

const BAD = ['lost', 'doubled', 'wrong'] as const
const FAILURES_OF_A_KIND_MAX = 5

export function reportOf({ entries, startedAt, lastAt, toldAgain, told }: Ledger): QueueReport {
  const all = [...entries.values()]
  const of = (fate: Fate) => all.filter((entry) => entry.fate === fate)
  return {
    sent: all.length,
    issued: of('issued').length,
    open: of('sent').length,
    lost: of('lost').length,
    doubled: of('doubled').length,
    wrong: of('wrong').length,
    toldAgain,
    issuedPerSecond: perSecond(told, (lastAt ?? startedAt) - startedAt),
    sentToIssuedMs: latencies(all.flatMap(({ ms }) => ms ?? [])),
    failures: BAD.flatMap((fate) =>
      of(fate)
        .slice(0, FAILURES_OF_A_KIND_MAX)
        .map(({ orderId, why = '' }) => ({ fate, orderId, why })),
    ),
  }
}

export function isKept(report: QueueReport): boolean {
  return BAD.every((fate) => report[fate] === 0)
}

export function tellReport(report: QueueReport): string {
  const { sent, issued, open, lost, doubled, wrong, toldAgain } = report
  return [
    `sent      ${sent}`,
    `issued    ${issued}, ${report.issuedPerSecond}/s, open ${open}, told once more ${toldAgain}`,
    `          sent→issued ${tellLatencies(report.sentToIssuedMs)}`,
    `lost ${lost}, doubled ${doubled}, wrong ${wrong}`,
    ...report.failures.map(({ fate, orderId, why }) => `  ${fate}: ${orderId}: ${why}`),
  ].join('\n')
}
