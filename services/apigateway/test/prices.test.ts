import { pricesThrough } from '@tideshop/clients/prices'
import { askNobody } from '@tideshop/clients/test/nobody'
import { Pricing, type QuoteRequest } from '@tideshop/contracts/gen/pricing_pb'
import { type Quote, quoteMessage } from '@tideshop/contracts/pricing'
import { grpcApp } from '@tideshop/kit/grpc'
import { grpcSidecarOn } from '@tideshop/kit/grpc-invoke'
import { httpApp } from '@tideshop/kit/http'
import { Refusal } from '@tideshop/kit/refusal'
import { serveBoth } from '@tideshop/kit/test/grpc'
import { quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { expect, onTestFinished, test } from 'vitest'
import { gatewayApp } from '../src/app.ts'
import { openSettings } from './open-settings.ts'

const price: Quote = {
  lines: [
    {
      sku: 'tea',
      unitPriceCents: 9_999_999,
      quantity: 1000,
      discounts: [{ offer: 'sale', reason: 'today', cents: 1 }],
      totalCents: 9_999_998_999,
    },
  ],
  discounts: [{ offer: 'FIVER', reason: 'for you', cents: 500 }],
  subtotalCents: 9_999_999_000,
  totalCents: 9_999_998_499,
  vouchers: [
    { code: 'FIVER', applied: true },
    { code: 'OLD', applied: false, reason: 'ended' },
  ],
  at: '2026-11-21T12:00:00.000Z',
}
const body = {
  lines: [{ sku: 'tea', unitPriceCents: 9_999_999, quantity: 1000 }],
  voucherCodes: ['FIVER', 'OLD'],
}

/** A door before a service that answers with `answer`, and what it was asked. The service stands in the sidecar's place. */
async function door(answer: (nth: number) => Quote = () => price, wakeWaitMs = 0) {
  const asked: QuoteRequest[] = []
  const traces: (string | null)[] = []
  const parts = quietParts('pricing')
  const grpc = grpcApp(parts, (router) => {
    router.service(Pricing, {
      quote(question, { requestHeader }) {
        asked.push(question)
        traces.push(requestHeader.get('traceparent'))
        return quoteMessage(answer(asked.length))
      },
    })
  })
  const { port } = await serveBoth(
    httpApp(parts, () => {}),
    grpc,
  )
  return { asked, traces, app: doorTo(port, wakeWaitMs) }
}

function doorTo(port: number, wakeWaitMs = 0) {
  const sidecar = grpcSidecarOn(port)
  onTestFinished(() => sidecar.close())
  return gatewayApp({
    ...quietParts('apigateway'),
    ...askNobody,
    settings: openSettings,
    newId: () => '',
    prices: pricesThrough(sidecar, wakeWaitMs),
  })
}

test('who asks for a price gets it as it was reckoned, to the cent', async () => {
  const { app, asked } = await door()
  const answer = await request(app)
    .post('/api/prices/quote')
    .send({ ...body, at: price.at })
  expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: price })
  expect(asked).toMatchObject([
    {
      lines: [{ sku: 'tea', unitPriceCents: 9_999_999n, quantity: 1000 }],
      voucherCodes: ['FIVER', 'OLD'],
      at: { seconds: 1795262400n },
    },
  ])
})

test('and the trace of its caller goes on', async () => {
  const { app, traces } = await door()
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  await request(app).post('/api/prices/quote').set({ traceparent }).send(body)
  expect(traces).toEqual([expect.stringContaining('0af7651916cd43dd8448eb211c80319c')])
})

test.each([
  ['broken JSON', 400, '{"lines":', []],
  ['no lines', 400, { lines: [] }, ['lines']],
  [
    'cents that are not whole',
    400,
    { lines: [{ ...body.lines[0], unitPriceCents: 1.5 }] },
    ['lines[0].unitPriceCents'],
  ],
  [
    'a price below zero',
    400,
    { lines: [{ ...body.lines[0], unitPriceCents: -1 }] },
    ['lines[0].unitPriceCents'],
  ],
  ['a line twice', 400, { lines: [body.lines[0], body.lines[0]] }, ['lines']],
  ['an unknown field', 400, { ...body, total: 1 }, ['']],
  ['a time elsewhere', 400, { ...body, at: '2026-11-21T12:00:00+01:00' }, ['at']],
  ['a body too large', 413, { ...body, voucherCodes: ['x'.repeat(70_000)] }, []],
])('%s is refused (%i) before it wakes anybody', async (_, status, sent, paths) => {
  const { app, asked } = await door()
  const answer = await request(app).post('/api/prices/quote').type('json').send(sent)
  expect(answer.status).toBe(status)
  const errors = (answer.body.errors ?? []).map((error: { path: string }) => error.path)
  expect(errors).toEqual(paths)
  expect(asked).toEqual([])
})

test('what only pricing finds wrong is named as well', async () => {
  const { app } = await door(() => {
    throw new Refusal('invalid', 'at: too long ago', [{ path: 'at', message: 'too long ago' }])
  })
  const answer = await request(app).post('/api/prices/quote').send(body)
  expect(answer.status).toBe(400)
  expect(answer.body.errors).toEqual([{ path: 'at', message: 'too long ago' }])
})

test('a fault of pricing is told as nothing', async () => {
  const { app } = await door(() => {
    throw new Error('the password is 1234')
  })
  const { body: problem } = await request(app).post('/api/prices/quote').send(body)
  expect(problem).toEqual({ title: 'internal', status: 500 })
})

test('a sidecar that is away is 503 with a time to come back', async () => {
  const answer = await request(doorTo(1)).post('/api/prices/quote').send(body)
  expect(answer).toMatchObject({ status: 503, body: { title: 'unavailable' } })
  expect(answer.headers['retry-after']).toBe('1')
})

test('who finds pricing asleep is served when it is awake', async () => {
  const asleep = new Refusal('unavailable', 'pricing does not answer')
  const { app, asked } = await door((nth) => {
    if (nth < 3) throw asleep
    return price
  }, 5000)
  expect((await request(app).post('/api/prices/quote').send(body)).status).toBe(200)
  expect(asked.length).toBe(3)
})
