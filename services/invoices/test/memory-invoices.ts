import type { Invoice } from '../src/invoice.ts'
import { type InvoiceStore, issueIn } from '../src/store.ts'

/** The store in memory; test/store.test.ts holds it and the real one to the same promises. */
export function memoryInvoices(): InvoiceStore & { all: () => Invoice[] } {
  const invoices = new Map<string, Invoice>()
  const find = async (orderId: string) => structuredClone(invoices.get(orderId)) ?? null
  return {
    find,
    issue: (make) =>
      issueIn(
        {
          find,
          nextSerial: async () => invoices.size + 1,
          async insert(invoice) {
            const isTaken = [...invoices.values()].some(({ serial }) => serial === invoice.serial)
            if (isTaken || invoices.has(invoice.order.orderId)) return false
            invoices.set(invoice.order.orderId, structuredClone(invoice))
            return true
          },
        },
        make,
      ),
    all: () => [...invoices.values()],
  }
}
