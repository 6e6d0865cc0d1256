import { type Client, Code, ConnectError, createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { Pricing } from '@tideshop/contracts/gen/pricing_pb'
import { basketMessage, quoteView } from '@tideshop/contracts/pricing'
import { BadRequestSchema } from '@tideshop/kit/gen/google/rpc/error_details_pb'
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from '@tideshop/kit/gen/grpc/health/v1/health_pb'
import { ServerReflection } from '@tideshop/kit/gen/grpc/reflection/v1/reflection_pb'
import { type GrpcSidecar, grpcSidecarOn } from '@tideshop/kit/grpc-invoke'
import { afterAll, expect, test } from 'vitest'
import { OFFERS } from '../../services/pricing/src/offers.ts'
import { type Answer, ask } from './door.ts'
import { openShop } from './open-shop.ts'

const shop = await openShop({ only: ['pricing', 'catalog'] })
const BACK = { timeout: 30_000, interval: 100 }
const ANSWER_WITHIN_MS = 2000

/** The way that the door takes: its own sidecar, and that of `pricing`. */
const sidecar: GrpcSidecar = grpcSidecarOn(shop.replicas('apigateway')[0]?.daprGrpcPort ?? 0)
afterAll(() => sidecar.close())
const pricing: Client<typeof Pricing> = createClient(Pricing, sidecar.to('pricing'))

/** The sidecar may cut a call at its deadline before the caller looks at the clock. */
const late = [Code.DeadlineExceeded, Code.Canceled]

const dozen = {
  lines: [{ sku: 'cup', unitPriceCents: 999, quantity: 12 }],
  voucherCodes: ['welcome10', 'SUMMER26'],
}

function quote(body: object): Promise<Answer> {
  const headers = { 'content-type': 'application/json' }
  return ask(shop, '/api/prices/quote', { method: 'POST', headers, body: JSON.stringify(body) })
}

test('a basket has a price, with what was taken off and why', async () => {
  const { status, body } = await quote(dozen)
  expect(status).toBe(200)
  // 11,988 − 5 % of the dozen = 11,389; − 10 % = 10,251.
  expect(quoteView.parse(body)).toMatchObject({
    subtotalCents: 11_988,
    totalCents: 10_251,
    lines: [
      {
        discounts: [
          { offer: 'by-the-dozen', cents: 599 },
          { offer: 'WELCOME10', cents: 1138 },
        ],
      },
    ],
    vouchers: [
      { code: 'WELCOME10', applied: true },
      { code: 'SUMMER26', applied: false, reason: expect.stringContaining('ended') },
    ],
  })
  const summer = await quote({ ...dozen, at: '2026-07-01T00:00:00Z' })
  expect(summer.body).toMatchObject({ totalCents: 8201, at: '2026-07-01T00:00:00.000Z' })
})

test('three mugs of those that the catalog has cost as much as two, and every good on offer is one that it has', async () => {
  const covered = OFFERS.flatMap(({ rule }) =>
    'covers' in rule && rule.covers !== 'everything' ? rule.covers : [],
  )
  expect(covered).toContain('TAB-0101')
  for (const sku of covered) expect((await ask(shop, `/api/goods/${sku}`)).status, sku).toBe(200)

  const { body: mug } = await ask(shop, '/api/goods/TAB-0101')
  const unitPriceCents = Number(mug['priceCents'])
  const { body } = await quote({ lines: [{ sku: 'TAB-0101', unitPriceCents, quantity: 3 }] })
  expect(body).toMatchObject({ subtotalCents: 3 * unitPriceCents, totalCents: 2 * unitPriceCents })
})

test('a basket that cannot be is refused by the door, and by pricing itself, with each wrong field', async () => {
  const wrong = { lines: [{ sku: 'cup', unitPriceCents: -1, quantity: 0 }], voucherCodes: [] }
  const fields = ['lines[0].unitPriceCents', 'lines[0].quantity']
  const { status, body } = await quote(wrong)
  expect(status).toBe(400)
  expect(body['errors']).toMatchObject(fields.map((path) => ({ path })))

  const error = await errorOf(pricing.quote(basketMessage(wrong)))
  expect(error).toMatchObject({ code: Code.InvalidArgument })
  expect(error.findDetails(BadRequestSchema)).toMatchObject([
    { fieldViolations: fields.map((field) => ({ field })) },
  ])
})

test('strangers with the usual tools learn whether it is ready and what can be asked', async () => {
  const [replica] = shop.replicas('pricing')
  const baseUrl = `http://127.0.0.1:${replica?.appPort}`
  for (const transport of [createGrpcTransport({ baseUrl }), sidecar.to('pricing')]) {
    const health = createClient(Health, transport)
    expect(await health.check({ service: Pricing.typeName })).toMatchObject({ status: Status.SERVING })
  }
  const reflection = createClient(ServerReflection, createGrpcTransport({ baseUrl }))
  async function* question() {
    yield { messageRequest: { case: 'fileContainingSymbol', value: 'tideshop.pricing.v1.Pricing' } } as const
  }
  for await (const { messageResponse } of reflection.serverReflectionInfo(question())) {
    expect(messageResponse.case).toBe('fileDescriptorResponse')
  }
})

test('who watches through the sidecars has the price at once, until the deadline', async () => {
  const watch = pricing.watch(basketMessage(dozen), { timeoutMs: 1000 })[Symbol.asyncIterator]()
  expect((await watch.next()).value).toMatchObject({ quote: { totalCents: 10_251n } })
  expect(late).toContain((await errorOf(watch.next())).code)
})

test('while pricing stands still a caller has an answer in time, and the price when it goes on', async () => {
  const [replica] = shop.replicas('pricing')
  const pid = replica?.app.pid ?? 0
  process.kill(pid, 'SIGSTOP')
  try {
    const error = await errorOf(pricing.quote(basketMessage(dozen), { timeoutMs: 500 }))
    expect(late).toContain(error.code)
    const { status, body, ms } = await quote(dozen)
    expect({ status, title: body['title'] }).toEqual({ status: 503, title: 'unavailable' })
    expect(ms).toBeLessThan(ANSWER_WITHIN_MS)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await expect.poll(async () => (await quote(dozen)).status, BACK).toBe(200)
})

test.each(['app', 'sidecar'] as const)(
  'while its %s is away callers are refused in time; then it is back',
  async (part) => {
    const [replica] = shop.replicas('pricing')
    await replica?.[part].kill()
    const answers = [await quote(dozen), await quote(dozen)]
    await replica?.[part].start()
    for (const { status, headers, body, ms } of answers) {
      expect({ status, title: body['title'] }).toEqual({ status: 503, title: 'unavailable' })
      expect(headers.get('retry-after')).toBe('1')
      expect(ms).toBeLessThan(ANSWER_WITHIN_MS)
    }
    await expect.poll(async () => (await quote(dozen)).status, BACK).toBe(200)
  },
)

test('a replica that leaves loses no call', async () => {
  await shop.addReplica('pricing')
  const leaving = shop.removeReplica('pricing', 0)
  const statuses: number[] = []
  for (let asked = 0; asked < 100; asked += 1) statuses.push((await quote(dozen)).status)
  expect(new Set(statuses)).toEqual(new Set([200]))
  await leaving
  // A sidecar sends a gRPC call once, and may still know the address of the one that has just gone: a 503 says so.
  await expect.poll(async () => (await quote(dozen)).status, BACK).toBe(200)
})

test('the door’s sidecar counts what it asks of pricing, which the scaler reads', async () => {
  const [door] = shop.replicas('apigateway')
  const count = async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${door?.metricsPort}/metrics`)).text()
    const lines = metrics.split('\n').filter((line) => line.startsWith('dapr_grpc_io_server_completed_rpcs{'))
    const quotes = lines.filter((line) =>
      line.includes('grpc_server_method="/tideshop.pricing.v1.Pricing/Quote"'),
    )
    return quotes.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }
  const before = await count()
  await quote(dozen)
  await expect.poll(count, BACK).toBeGreaterThan(before)
})

async function errorOf(answer: Promise<unknown>): Promise<ConnectError> {
  return ConnectError.from(
    await answer.then(
      () => 'it was answered',
      (error: unknown) => error,
    ),
  )
}
