import { invoiceIssued } from '@tideshop/contracts/invoices'
import { deadJob } from '@tideshop/kit/binding'
import { memoryBindings } from '@tideshop/kit/memory'
import { quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { expect, test } from 'vitest'
import { invoicesApp } from '../src/app.ts'
import { memoryInvoices } from './memory-invoices.ts'
import { order } from './orders.ts'

function shop(workMs = 0, bindings = memoryBindings()) {
  const invoices = memoryInvoices()
  const app = invoicesApp({ ...quietParts('invoices'), bindings, invoices, workMs, againAfterMs: 0 })
  async function bring(job: unknown): Promise<number> {
    const body = typeof job === 'string' ? job : JSON.stringify(job)
    const answer = await request(app).post('/jobs/queue').type('application/json').send(body)
    // The sidecar takes any other 2xx for a failure that it may repeat by itself.
    expect(answer.text).toBe('{}')
    return answer.status
  }
  return { app, bring, invoices, bindings }
}

function takenBy(bindings: ReturnType<typeof memoryBindings>, name: string) {
  return bindings.taken.filter(({ binding }) => binding === name)
}

test('an order gets its document, and then is told about', async () => {
  const { bring, bindings } = shop()
  const asked = order()
  expect(await bring(asked)).toBe(200)
  const [filed, told] = bindings.taken
  const file = `TS-000001-${asked.orderId}.html`
  expect(filed).toMatchObject({ binding: 'invoice-documents', metadata: { fileName: file } })
  const document = Buffer.from(String(filed?.data), 'base64').toString('utf8')
  expect(document).toContain('<h1>Invoice TS-000001</h1>')
  expect(document).toContain('€1,260.00')
  expect(told?.binding).toBe('downstream')
  expect(invoiceIssued.parse(told?.data)).toMatchObject({
    id: `${asked.orderId}:invoice`,
    orderId: asked.orderId,
    number: 'TS-000001',
    totalCents: 126_000,
    file,
  })
  expect(bindings.taken).toHaveLength(2)
})

test('an order that comes again gets no second invoice, and no second work: the same is told in the same words', async () => {
  const { bring, invoices, bindings } = shop(200)
  const asked = order()
  const times: number[] = []
  for (const _ of [1, 2]) {
    const began = performance.now()
    expect(await bring(asked)).toBe(200)
    times.push(performance.now() - began)
  }
  expect(times[0]).toBeGreaterThanOrEqual(199)
  expect(times[1]).toBeLessThan(times[0] ?? 0)
  expect(invoices.all()).toHaveLength(1)
  const [first, second] = [bindings.taken.slice(0, 2), bindings.taken.slice(2)]
  expect(second).toEqual(first)
})

test.each(['invoice-documents', 'downstream'])(
  'while %s is away the order comes again, and then has its one invoice',
  async (missing) => {
    let away = true
    const { bring, invoices, bindings } = shop(
      0,
      memoryBindings((binding) => away && binding === missing),
    )
    const asked = order()
    expect(await bring(asked)).toBe(503)
    away = false
    expect(await bring(asked)).toBe(200)
    expect(invoices.all()).toHaveLength(1)
    expect(takenBy(bindings, 'downstream')).toHaveLength(1)
  },
)

test('another order under the same id is put aside, and changes nothing', async () => {
  const { bring, invoices, bindings } = shop()
  const asked = order()
  await bring(asked)
  expect(await bring({ ...asked, customer: { ...asked.customer, name: 'Greta' } })).toBe(200)
  expect(invoices.all()).toMatchObject([{ order: { customer: { name: 'Hans' } } }])
  expect(deadJob.parse(takenBy(bindings, 'queue.dead')[0]?.data).reason).toMatch(/has an invoice already/)
})

test.each([
  ['not JSON', '{"half', 'not JSON'],
  ['nothing', '', 'not JSON'],
  ['no order', '[]', 'expected object'],
  ['of another kind', order({ type: 'nonsense' as never }), 'type'],
  ['without lines', order({ lines: [] }), 'lines'],
  ['not the sum of its lines', order({ totalCents: 1 }), 'come to 126000'],
  ['dearer by its discount', order({ lines: [{ ...line(), discountCents: 1000 }] }), 'more than it costs'],
])(
  'what is %s is put aside with its reason and its bytes, without a document',
  async (_what, job, reason) => {
    const { bring, invoices, bindings } = shop(5000)
    expect(await bring(job)).toBe(200)
    expect(invoices.all()).toEqual([])
    const [dead] = bindings.taken
    expect(bindings.taken).toHaveLength(1)
    const { payload, ...rest } = deadJob.parse(dead?.data)
    const bytes = Buffer.from(typeof job === 'string' ? job : JSON.stringify(job))
    expect(rest).toMatchObject({ queue: 'queue', listener: 'invoices', bytes: bytes.length })
    expect(rest.reason).toContain(reason)
    expect(Buffer.from(payload, 'base64')).toEqual(bytes)
  },
)

test('what cannot be put aside stays in the queue', async () => {
  let away = true
  const { bring, bindings } = shop(
    0,
    memoryBindings(() => away),
  )
  expect(await bring('rubbish')).toBe(503)
  away = false
  expect(await bring('rubbish')).toBe(200)
  expect(bindings.taken).toMatchObject([{ binding: 'queue.dead' }])
})

test('of a job too large for the quarantine the beginning is kept, and its size', async () => {
  const { bring, bindings } = shop()
  expect(await bring('x'.repeat(5_000_000))).toBe(200)
  const { bytes, payload } = deadJob.parse(bindings.taken[0]?.data)
  expect(bytes).toBe(5_000_000)
  expect(Buffer.from(payload, 'base64')).toHaveLength(2 * 1024 ** 2)
  // The sidecar takes 4 MiB.
  expect(JSON.stringify(bindings.taken[0]).length).toBeLessThan(4 * 1024 ** 2)
})

function line() {
  return { sku: 'CUP-0001', name: 'Cup', unitPriceCents: 999, quantity: 1, discountCents: 0 }
}
