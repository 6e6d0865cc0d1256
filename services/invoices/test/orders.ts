import { randomUUIDv7 } from 'node:crypto'
import type { IssueInvoice } from '@tideshop/contracts/invoices'
import { noon } from '@tideshop/kit/test/parts'

/** Three cups and a lantern, as it is asked. */
export function order(changes: Partial<IssueInvoice> = {}): IssueInvoice {
  return {
    type: 'invoices.issue-invoice.v1',
    orderId: randomUUIDv7(),
    time: noon.toISOString(),
    customer: { id: 'c-1', name: 'Hans', address: ['1 Quay', 'Harbour'] },
    lines: [
      { sku: 'CUP-0001', name: 'Cup', unitPriceCents: 999, quantity: 3, discountCents: 97 },
      { sku: 'LMP-0101', name: 'Lantern', unitPriceCents: 123_450, quantity: 1, discountCents: 0 },
    ],
    discountCents: 350,
    totalCents: 126_000,
    ...changes,
  }
}
