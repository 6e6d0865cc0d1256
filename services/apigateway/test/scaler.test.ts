import { Code, createClient } from '@connectrpc/connect'
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'
import { Apigateway } from '@tideshop/contracts/gen/apigateway_pb'
import { ExternalScaler } from '@tideshop/kit/gen/externalscaler/externalscaler_pb'
import type { Invoke } from '@tideshop/kit/invoke'
import { Refusal } from '@tideshop/kit/refusal'
import { serveBoth } from '@tideshop/kit/test/grpc'
import { quietParts } from '@tideshop/kit/test/parts'
import { freePort } from '@tideshop/runtime/free-port'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Demand, type Sign, watched } from '../src/demand.ts'
import { doorsNamed, OtherDoors, type Whereabouts } from '../src/others.ts'
import { scalerGrpc, serveScaler } from '../src/scaler.ts'

/** One door, and how KEDA asks it. `where`: the others, if there are any. */
async function scaler(where: Whereabouts = async () => []) {
  const others = new OtherDoors(where, quietParts('apigateway').log)
  onTestFinished(() => others.close())
  const tell = vi.fn((sign: Sign) => others.tell(sign))
  const demand = new Demand((sign) => void tell(sign))
  const leaving = new AbortController()
  const grpc = scalerGrpc({ ...quietParts('apigateway'), demand, leaving: leaving.signal })
  const { transport, url } = await serveBoth((_, response) => response.end(), grpc)
  return { demand, leaving, url, tell, transport, keda: createClient(ExternalScaler, transport) }
}

/** As KEDA has it of the trigger. */
function trigger(calls: string, changes = '') {
  return {
    name: 'catalog',
    namespace: 'tideshop',
    scalerMetadata: { scalerAddress: 'door:9091', calls, changes },
  }
}

/** The next that is told. */
async function told(stream: AsyncIterator<{ result: boolean }>): Promise<boolean | 'the end'> {
  const { done, value } = await stream.next()
  return done ? 'the end' : value.result
}

test('whoever is called in vain is told of at once, and once', async () => {
  const { demand, keda } = await scaler()
  const stream = keda.streamIsActive(trigger('catalog,storefront'))[Symbol.asyncIterator]()
  const first = told(stream)
  // The stream may not be open yet: what was just before counts as well.
  demand.see('call basket')
  demand.see('call storefront')
  expect(await first).toBe(true)
  const second = told(stream)
  demand.see('call storefront')
  demand.see('call basket')
  expect(await Promise.race([second, keda.isActive(trigger('basket'))])).toMatchObject({ result: true })
})

test('who goes on to be called in vain is told of again', async () => {
  const { demand, keda } = await scaler()
  const stream = keda.streamIsActive(trigger('catalog'))[Symbol.asyncIterator]()
  const calling = setInterval(() => demand.see('call catalog'), 100)
  try {
    expect(await told(stream)).toBe(true)
    expect(await told(stream)).toBe(true)
  } finally {
    clearInterval(calling)
  }
})

test('a door that leaves ends its streams, so that KEDA turns to another', async () => {
  const { leaving, keda } = await scaler()
  const active = told(keda.streamIsActive(trigger('catalog'))[Symbol.asyncIterator]())
  const specs = keda.streamMetricSpec(trigger('catalog'))[Symbol.asyncIterator]()
  expect(await specs.next()).toMatchObject({ done: false })
  leaving.abort()
  expect(await active).toBe('the end')
  expect(await specs.next()).toMatchObject({ done: true })
})

test('a door that leaves does not wait for a KEDA that listens on', async () => {
  const port = await freePort()
  const leaving = new AbortController()
  const parts = { ...quietParts('apigateway'), demand: new Demand(), leaving: leaving.signal }
  const served = serveScaler(parts, port)
  const sessionManager = new Http2SessionManager(`http://127.0.0.1:${port}`)
  const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}`, sessionManager })
  const keda = createClient(ExternalScaler, transport)
  await vi.waitFor(() => keda.isActive(trigger('catalog')))
  const specs = keda.streamMetricSpec(trigger('catalog'))[Symbol.asyncIterator]()
  expect(await specs.next()).toMatchObject({ done: false })
  leaving.abort()
  expect(await specs.next()).toMatchObject({ done: true })
  await served
  await expect(keda.isActive(trigger('catalog'))).rejects.toMatchObject({ code: Code.Unavailable })
  sessionManager.abort()
})

test('one replica is wanted while somebody is sought, and none else', async () => {
  const { demand, keda } = await scaler()
  const { metricSpecs } = await keda.getMetricSpec(trigger('catalog'))
  expect(metricSpecs).toMatchObject([{ metricName: 'demand', targetSizeFloat: 1 }])
  const value = async () => {
    const { metricValues } = await keda.getMetrics({
      scaledObjectRef: trigger('catalog'),
      metricName: 'demand',
    })
    return metricValues.map(({ metricName, metricValueFloat }) => [metricName, metricValueFloat])
  }
  expect(await value()).toEqual([['demand', 0]])
  expect(await keda.isActive(trigger('catalog'))).toMatchObject({ result: false })
  demand.see('call catalog')
  expect(await value()).toEqual([['demand', 1]])
  expect(await keda.isActive(trigger('catalog'))).toMatchObject({ result: true })
})

test('a trigger that does not say whom it means is refused', async () => {
  const { keda } = await scaler()
  await expect(keda.isActive(trigger(''))).rejects.toMatchObject({ code: Code.InvalidArgument })
})

test('a change that somebody took on is a sign for whoever will hear of it', async () => {
  const { demand, keda } = await scaler()
  demand.see('change operations')
  expect(await keda.isActive(trigger('', 'operations'))).toMatchObject({ result: true })
  expect(await keda.isActive(trigger('operations'))).toMatchObject({ result: false })
})

test('what one door sees, KEDA hears from each, and nobody tells it on', async () => {
  const heard = await scaler(async () => [])
  const nobody = `http://127.0.0.1:${await freePort()}`
  const seen = await scaler(async () => [nobody, heard.url])
  const stream = heard.keda.streamIsActive(trigger('catalog'))[Symbol.asyncIterator]()
  const active = told(stream)
  seen.demand.see('call catalog')
  expect(await active).toBe(true)
  seen.demand.see('change orders')
  await vi.waitFor(async () =>
    expect(await heard.keda.isActive(trigger('', 'orders'))).toMatchObject({ result: true }),
  )
  expect(await heard.keda.isActive(trigger('orders'))).toMatchObject({ result: false })
  expect(heard.tell).not.toHaveBeenCalled()
})

test('a door tells the others of the same once in a while, and not of what they have just told', async () => {
  const { demand, tell } = await scaler()
  demand.see('call catalog')
  demand.see('call catalog')
  demand.hear('call basket')
  demand.see('call basket')
  demand.see('call pricing')
  expect(tell.mock.calls).toEqual([['call catalog'], ['call pricing']])
})

test('a door that cannot find the others serves its callers all the same', async () => {
  const { demand, keda } = await scaler(async () => {
    throw new Error('no such name')
  })
  demand.see('call catalog')
  expect(await keda.isActive(trigger('catalog'))).toMatchObject({ result: true })
})

test('rubbish of another door is refused', async () => {
  const { transport } = await scaler()
  const calls = Array.from({ length: 21 }, (_, nth) => `service-${nth}`)
  const told = createClient(Apigateway, transport).tell({ calls })
  await expect(told).rejects.toMatchObject({ code: Code.InvalidArgument })
})

test('a door does not tell itself', async () => {
  expect(await doorsNamed('localhost', 9091)()).toEqual([])
})

test.each<[string, 'GET' | 'POST', Awaited<ReturnType<Invoke>> | Refusal, Sign[]]>([
  ['a question that is answered', 'GET', { status: 200, said: {} }, []],
  ['a change that is taken on', 'POST', { status: 202, said: {} }, ['change basket']],
  ['a change that is refused', 'POST', { status: 409, said: {} }, []],
  ['a refusal', 'GET', new Refusal('not-found', 'no such basket'), []],
  ['a question in vain', 'GET', new Refusal('unavailable', 'nobody is there'), ['call basket']],
  ['a change in vain', 'POST', new Refusal('uncertain', 'nobody answered'), ['call basket']],
])('%s', async (_, method, outcome, seen) => {
  const demand = new Demand()
  const invoke: Invoke = async () => {
    if (outcome instanceof Refusal) throw outcome
    return outcome
  }
  const called = watched(invoke, demand)('basket', method, 'basket')
  await (outcome instanceof Refusal
    ? expect(called).rejects.toBe(outcome)
    : expect(called).resolves.toBe(outcome))
  const signs: Sign[] = ['call basket', 'change basket']
  expect(signs.filter((sign) => demand.isFor([sign]))).toEqual(seen)
})
