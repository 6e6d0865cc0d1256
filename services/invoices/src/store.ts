import { duplicates, type MongoRow } from '@tideshop/kit/mongo'
import type { Db } from 'mongodb'
import type { Invoice } from './invoice.ts'

/** Replicas (keda/invoices.yaml has 20 at most) who want the same next number: one of them gets it in each round. */
const ROUNDS_MAX = 40

export type InvoiceStore = {
  find: (orderId: string) => Promise<Invoice | null>
  /**
   * Writes the invoice under the next number that is free, and returns it, or the one that stands there for this order. `make`
   * may run more than once, so it must be pure.
   */
  issue: (make: (serial: number) => Invoice) => Promise<Invoice>
}

/**
 * One document per order, which has the number as well, both unique: a number is taken in the same step in which it is used, so
 * that there is none without an invoice, as there would be with a counter.
 */
export function mongoInvoices(db: Db): InvoiceStore & { prepare: () => Promise<void> } {
  const invoices = db.collection<MongoRow<Invoice>>('invoices')

  async function find(orderId: string): Promise<Invoice | null> {
    const row = await invoices.findOne({ _id: orderId })
    return (row?.body as Invoice | undefined) ?? null
  }

  async function insert(invoice: Invoice): Promise<boolean> {
    const row = { _id: invoice.order.orderId, version: 1, body: invoice }
    try {
      await invoices.insertMany([row], { ordered: false })
      return true
    } catch (error) {
      return duplicates(error).length === 0
    }
  }

  async function nextSerial(): Promise<number> {
    const [last] = await invoices.find().sort({ 'body.serial': -1 }).limit(1).toArray()
    return (last?.body.serial ?? 0) + 1
  }

  return {
    find,
    async prepare() {
      await invoices.createIndex({ 'body.serial': 1 }, { name: 'serial', unique: true })
    },
    issue: (make) => issueIn({ find, nextSerial, insert }, make),
  }
}

export type IssueSteps = {
  find: InvoiceStore['find']
  nextSerial: () => Promise<number>
  /** False where the order or the number is taken. */
  insert: (invoice: Invoice) => Promise<boolean>
}

export async function issueIn(
  { find, nextSerial, insert }: IssueSteps,
  make: (serial: number) => Invoice,
): Promise<Invoice> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const invoice = make(await nextSerial())
    if (await insert(invoice)) return invoice
    const standing = await find(invoice.order.orderId)
    if (standing !== null) return standing
  }
  throw new Error(`others took the next number ${ROUNDS_MAX} times`)
}
