import { testDatabase } from '@tideshop/kit/test/database'
import { noon } from '@tideshop/kit/test/parts'
import { describe, expect, test } from 'vitest'
import { issue } from '../src/invoice.ts'
import { type InvoiceStore, mongoInvoices } from '../src/store.ts'
import { memoryInvoices } from './memory-invoices.ts'
import { order } from './orders.ts'

const database = testDatabase()

async function emptyMongo(): Promise<InvoiceStore> {
  await database().dropDatabase()
  const invoices = mongoInvoices(database())
  await invoices.prepare()
  return invoices
}

// One suite for both, so that what is tested in memory holds in the database.
describe.each([
  ['in memory', async () => memoryInvoices()],
  ['in the database', emptyMongo],
])('invoices %s', (_where, open) => {
  test('an order that has none is not found, and one that has is, as it was issued', async () => {
    const invoices = await open()
    const asked = order()
    expect(await invoices.find(asked.orderId)).toBeNull()
    const issued = await invoices.issue((serial) => issue(asked, serial, noon))
    expect(issued).toEqual(issue(asked, 1, noon))
    expect(await invoices.find(asked.orderId)).toEqual(issued)
  })

  test('an order that comes again, later, gets the invoice that it has', async () => {
    const invoices = await open()
    const asked = order()
    const first = await invoices.issue((serial) => issue(asked, serial, noon))
    const again = await invoices.issue((serial) => issue(asked, serial, new Date(noon.getTime() + 5000)))
    expect(again).toEqual(first)
  })

  test('those who are issued at once get each a number, without a gap, and one order only one', async () => {
    const invoices = await open()
    const orders = Array.from({ length: 12 }, () => order())
    const issued = await Promise.all(
      [...orders, ...orders].map((asked) => invoices.issue((serial) => issue(asked, serial, noon))),
    )
    const serials = new Set(issued.map(({ serial }) => serial))
    expect([...serials].sort((one, other) => one - other)).toEqual(orders.map((_, index) => index + 1))
    for (const [index, { orderId }] of orders.entries()) {
      expect(issued[index + orders.length]).toEqual(issued[index])
      expect(await invoices.find(orderId)).toEqual(issued[index])
    }
  })
})
