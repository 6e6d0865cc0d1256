import { setTimeout as sleep } from 'node:timers/promises'
import {
  DOWNSTREAM_QUEUE,
  INVOICE_QUEUE,
  type IssueInvoice,
  issueInvoice,
} from '@tideshop/contracts/invoices'
import { type WorkParts, workOn } from '@tideshop/kit/binding'
import { crashPoint } from '@tideshop/kit/crash-point'
import { type HttpParts, httpApp } from '@tideshop/kit/http'
import type { Express } from 'express'
import { documentOf } from './document.ts'
import { demandSameOrder, demandSum, fileOf, issue, tellIssued } from './invoice.ts'
import type { InvoiceStore } from './store.ts'

/** The component of the file storage. */
const DOCUMENTS = 'invoice-documents'

export type InvoicesParts = WorkParts &
  HttpParts & {
    invoices: InvoiceStore
    /** Milliseconds that one invoice takes. */
    workMs: number
  }

export function invoicesApp(parts: InvoicesParts): Express {
  return httpApp(parts, (app) => {
    workOn(app, parts, {
      queue: INVOICE_QUEUE,
      schema: issueInvoice,
      handle: (asked) => writeInvoice(parts, asked),
    })
  })
}

/**
 * What is written is one document in the database, at the end of the work; the file and what is told follow from it alone. So
 * whoever dies in between does the rest when the order comes again, with the same number, the same bytes and the same id.
 */
async function writeInvoice(parts: InvoicesParts, asked: IssueInvoice): Promise<void> {
  const { invoices, bindings, workMs, now } = parts
  demandSum(asked)
  const standing = await invoices.find(asked.orderId)
  // The work itself: system B's function takes 5 s. It is done already where the invoice stands.
  if (standing === null && workMs > 0) await sleep(workMs)
  const invoice = standing ?? (await invoices.issue((serial) => issue(asked, serial, now())))
  demandSameOrder(invoice, asked)
  crashPoint('job.written')
  // As base64, since the binding takes apart what looks like a quoted text, or like base64.
  const document = Buffer.from(documentOf(invoice)).toString('base64')
  await bindings.create(DOCUMENTS, document, { fileName: fileOf(invoice) })
  crashPoint('job.handing-on')
  await bindings.create(DOWNSTREAM_QUEUE, tellIssued(invoice))
  parts.log.info({ orderId: invoice.order.orderId, number: invoice.number }, 'invoice issued')
}
