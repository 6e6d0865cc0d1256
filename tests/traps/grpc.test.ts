import { once } from 'node:events'
import { type Client, Code, ConnectError, createClient, type HandlerContext } from '@connectrpc/connect'
import { Pricing } from '@tideshop/contracts/gen/pricing_pb'
import { BadRequestSchema } from '@tideshop/kit/gen/google/rpc/error_details_pb'
import { grpcApp } from '@tideshop/kit/grpc'
import { grpcSidecarOn } from '@tideshop/kit/grpc-invoke'
import { httpApp } from '@tideshop/kit/http'
import { listenerOf } from '@tideshop/kit/listener'
import { Refusal } from '@tideshop/kit/refusal'
import { quietParts } from '@tideshop/kit/test/parts'
import type { Ports } from '@tideshop/run/dapr-yaml'
import type { Process } from '@tideshop/run/process'
import { expect, onTestFinished, test } from 'vitest'
import { counted } from './counted.ts'
import { openGround, SOON, serve } from './ground.ts'

/*
 * Calls by gRPC from an app through its sidecar, and the sidecar of the other, to that one's app: what of them arrives, who
 * counts them and who repeats them. Both apps speak with Connect (decision 12); the contract is that of `pricing`.
 */

const ground = await openGround()

type Callee = { appId: string; ports: Ports; sidecar: Process }
type Answers = { quote?: (context: HandlerContext) => unknown; watch?: () => AsyncIterable<object> }

async function openCallee({ quote = () => {}, watch }: Answers = {}): Promise<Callee> {
  const appId = `callee-${crypto.randomUUID()}`
  const ports = await ground.ports()
  const parts = quietParts(appId)
  const grpc = grpcApp(parts, (router) => {
    const answer = async (_: unknown, context: HandlerContext) => {
      await quote(context)
      return {}
    }
    router.service(Pricing, { quote: answer, ...(watch && { watch }) })
  })
  const app = httpApp(parts, () => {})
  const { server, closeConnections } = listenerOf(app, grpc)
  server.listen(ports.appPort, '127.0.0.1')
  onTestFinished(() => {
    server.close()
    closeConnections()
  })
  await once(server, 'listening')
  return { appId, ports, sidecar: await ground.startSidecar({ appId, ports, appProtocol: 'grpc' }) }
}

async function openCaller(to: string): Promise<{ ports: Ports; pricing: Client<typeof Pricing> }> {
  const ports = await ground.ports()
  await serve(ports.appPort, (_, response) => {
    response.writeHead(404).end()
  })
  await ground.startSidecar({ appId: `caller-${crypto.randomUUID()}`, ports })
  const sidecar = grpcSidecarOn(ports.daprGrpcPort)
  onTestFinished(() => sidecar.close())
  return { ports, pricing: createClient(Pricing, sidecar.to(to)) }
}

async function errorOf(answer: Promise<unknown>): Promise<ConnectError> {
  return ConnectError.from(
    await answer.then(
      () => 'it was answered',
      (error: unknown) => error,
    ),
  )
}

const CALLS = 5
const quotes = { grpc_server_method: '/tideshop.pricing.v1.Pricing/Quote' }
const watches = { grpc_server_method: '/tideshop.pricing.v1.Pricing/Watch' }

test('calls are counted where they are asked, and in no counter of who is called', async () => {
  const callee = await openCallee()
  const caller = await openCaller(callee.appId)
  for (let called = 0; called < CALLS; called += 1) await caller.pricing.quote({})

  const inCaller = () => counted(caller, 'dapr_grpc_io_server_completed_rpcs', quotes)
  await expect.poll(inCaller, SOON).toBe(CALLS)
  for (const side of ['server', 'client']) {
    const method = { [`grpc_${side}_method`]: quotes.grpc_server_method }
    expect(await counted(callee, `dapr_grpc_io_${side}_completed_rpcs`, method)).toBe(0)
  }
})

// So a watch is no demand that a scaler could see while it is there.
test('a stream is counted when it is over', async () => {
  const callee = await openCallee({
    async *watch() {
      yield {}
      await new Promise(() => {})
    },
  })
  const caller = await openCaller(callee.appId)
  const inCaller = () => counted(caller, 'dapr_grpc_io_server_completed_rpcs', watches)
  const leaving = new AbortController()
  const stream = caller.pricing
    .watch({}, { signal: leaving.signal, timeoutMs: 10_000 })
    [Symbol.asyncIterator]()
  await stream.next()
  const begun = { dst_app_id: callee.appId, type: 'streaming' }
  const sent = () => counted(caller, 'dapr_runtime_service_invocation_req_sent_total', begun)
  await expect.poll(sent, SOON).toBe(1)
  expect(await inCaller()).toBe(0)

  leaving.abort()
  expect(await errorOf(stream.next())).toMatchObject({ code: Code.Canceled })
  await expect.poll(inCaller, SOON).toBe(1)
})

test('a name that nobody has is UNKNOWN, not UNAVAILABLE, and counts as a call', async () => {
  const caller = await openCaller('nobody')
  expect(await errorOf(caller.pricing.quote({}))).toMatchObject({ code: Code.Unknown })
  const failed = { ...quotes, grpc_server_status: 'Unknown' }
  await expect.poll(() => counted(caller, 'dapr_grpc_io_server_completed_rpcs', failed), SOON).toBe(1)
})

// By HTTP it would be four times (invocation.test.ts). So the door repeats by itself while it waits for who sleeps.
test('a call to a sidecar that is away is sent once', async () => {
  const callee = await openCallee()
  const caller = await openCaller(callee.appId)
  await caller.pricing.quote({})
  await callee.sidecar.kill()

  expect(await errorOf(caller.pricing.quote({}))).toMatchObject({ code: Code.Unavailable })
  const sent = () => counted(caller, 'dapr_runtime_service_invocation_req_sent_total', { type: 'unary' })
  await expect.poll(sent, SOON).toBe(1 + 1)
})

test('a call that is on its way when the sidecar of the other side dies arrives once', async () => {
  let tries = 0
  const callee = await openCallee({
    quote: () => {
      tries += 1
      return tries === 1 ? new Promise(() => {}) : undefined
    },
  })
  const caller = await openCaller(callee.appId)
  const called = errorOf(caller.pricing.quote({}, { timeoutMs: 10_000 }))
  await expect.poll(() => tries, SOON).toBe(1)
  await callee.sidecar.kill()
  expect(await called).toMatchObject({ code: Code.Unavailable })
  await callee.sidecar.start()
  await expect
    .poll(() => errorOf(caller.pricing.quote({})), SOON)
    .toMatchObject({ rawMessage: 'it was answered' })
  expect(tries).toBe(2)
})

test('a deadline arrives with the call', async () => {
  let leftMs = Number.NaN
  const callee = await openCallee({
    quote: ({ timeoutMs }) => {
      leftMs = timeoutMs() ?? Number.NaN
      return new Promise(() => {})
    },
  })
  const caller = await openCaller(callee.appId)
  const { code } = await errorOf(caller.pricing.quote({}, { timeoutMs: 500 }))
  // At the deadline the sidecar resets the stream, which who looks at the clock a moment later takes for that.
  expect([Code.DeadlineExceeded, Code.Canceled]).toContain(code)
  expect(leftMs).toBeGreaterThan(0)
  expect(leftMs).toBeLessThan(500)
})

test('what was wrong arrives whole, field by field', async () => {
  const callee = await openCallee({
    quote: () => {
      throw new Refusal('invalid', 'ä: wrong', [{ path: 'ä', message: 'wrong' }])
    },
  })
  const caller = await openCaller(callee.appId)
  const error = await errorOf(caller.pricing.quote({}))
  expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: 'ä: wrong' })
  expect(error.findDetails(BadRequestSchema)).toMatchObject([{ fieldViolations: [{ field: 'ä' }] }])
})
