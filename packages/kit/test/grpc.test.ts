import { once } from 'node:events'
import { connect } from 'node:net'
import { create, createFileRegistry, type DescService, fromBinary } from '@bufbuild/protobuf'
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import {
  type CallOptions,
  Code,
  ConnectError,
  createClient,
  type HandlerContext,
  type ServiceImpl,
} from '@connectrpc/connect'
import { describe, expect, onTestFinished, test } from 'vitest'
import { AppCallbackHealthCheck } from '../gen/dapr/proto/runtime/v1/appcallback_pb.js'
import { BadRequestSchema } from '../gen/google/rpc/error_details_pb.js'
import { Health, HealthCheckResponse_ServingStatus as Status } from '../gen/grpc/health/v1/health_pb.js'
import { ServerReflection } from '../gen/grpc/reflection/v1/reflection_pb.js'
import { grpcApp } from '../src/grpc.ts'
import { asRefusal, grpcSidecarOn } from '../src/grpc-invoke.ts'
import { httpApp } from '../src/http.ts'
import { Refusal } from '../src/refusal.ts'
import { serveBoth } from './grpc.ts'
import { quietParts } from './parts.ts'

/** tiny.proto: a service with a call and a stream, of messages that hold nothing. */
const empty = { inputType: '.tiny.Empty', outputType: '.tiny.Empty' }
const file = create(FileDescriptorProtoSchema, {
  name: 'tiny.proto',
  package: 'tiny',
  syntax: 'proto3',
  messageType: [{ name: 'Empty' }],
  service: [
    {
      name: 'Tiny',
      method: [
        { name: 'Ask', ...empty },
        { name: 'Hear', ...empty, serverStreaming: true },
      ],
    },
  ],
})
const Tiny = createFileRegistry(file, () => undefined).getService('tiny.Tiny') as DescService
type TinyClient = {
  ask: (question: object, options?: CallOptions) => Promise<object>
  hear: (question: object, options?: CallOptions) => AsyncIterable<object>
}

type Behaviour = {
  ask?: () => unknown
  hear?: (question: object, context: HandlerContext) => AsyncIterable<object>
  ready?: () => Promise<void>
}

async function serving({ ask = () => {}, hear, ready = async () => {} }: Behaviour = {}) {
  const parts = { ...quietParts('tiny'), ready }
  const grpc = grpcApp(parts, (router) => {
    const answered = async () => {
      await ask()
      return {}
    }
    router.service(Tiny, { ask: answered, ...(hear && { hear }) } as unknown as ServiceImpl<DescService>)
  })
  const app = httpApp(parts, () => {})
  const served = await serveBoth(app, grpc)
  const ended = async () =>
    (await parts.metrics.rpcSeconds.get()).values.flatMap(({ labels }) => labels.code ?? [])
  return { ...served, ended, tiny: createClient(Tiny, served.transport) as unknown as TinyClient }
}

/** The service itself stands where the sidecar would be. */
function throughSidecar(port: number): TinyClient {
  const sidecar = grpcSidecarOn(port)
  onTestFinished(() => sidecar.close())
  return createClient(Tiny, sidecar.to('tiny')) as unknown as TinyClient
}

async function refusalOf(answer: Promise<unknown>): Promise<ConnectError> {
  const thrown = await answer.then(
    () => null,
    (error: unknown) => error,
  )
  expect(thrown).toBeInstanceOf(ConnectError)
  return thrown as ConnectError
}

async function heard(stream: AsyncIterable<object>): Promise<number> {
  let messages = 0
  for await (const _ of stream) messages += 1
  return messages
}

describe('one port', () => {
  test('has probes and metrics by HTTP/1, and calls by HTTP/2', async () => {
    const { url, tiny } = await serving()
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect(await tiny.ask({})).toMatchObject({})
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('rpc="tiny.Tiny/Ask",code="OK"')
    expect((await fetch(`${url}/nowhere`, { method: 'POST', body: '{}' })).status).toBe(404)
  })

  test('closes at once, whoever has called and whoever has said nothing yet', async () => {
    const { server, closeConnections, port, url, tiny } = await serving()
    const silent = connect(port, '127.0.0.1')
    await once(silent, 'connect')
    await Promise.all([tiny.ask({}), fetch(`${url}/healthz`)])
    const closed = once(server, 'close')
    server.close()
    closeConnections()
    await closed
    silent.destroy()
  })
})

describe('a no', () => {
  test('has a status, and names each wrong field', async () => {
    const { tiny } = await serving({
      ask: () => {
        throw new Refusal('invalid', 'a: wrong', [{ path: 'a', message: 'wrong' }])
      },
    })
    const error = await refusalOf(tiny.ask({}))
    expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: 'a: wrong' })
    expect(error.findDetails(BadRequestSchema)).toMatchObject([
      { fieldViolations: [{ field: 'a', description: 'wrong' }] },
    ])
  })

  test('of a stream comes after what was told, and is the same to the next service', async () => {
    const { port } = await serving({
      async *hear() {
        yield {}
        throw new Refusal('invalid', 'a: wrong', [{ path: 'a', message: 'wrong' }])
      },
    })
    const stream = throughSidecar(port).hear({})[Symbol.asyncIterator]()
    expect((await stream.next()).done).toBe(false)
    const error = asRefusal(await refusalOf(stream.next()), 'tiny')
    expect(error).toMatchObject({ code: 'invalid', errors: [{ path: 'a', message: 'wrong' }] })
  })

  test('of ours is told as nothing', async () => {
    const { tiny, ended } = await serving({
      ask: () => {
        throw new Error('the password is 1234')
      },
    })
    expect(await refusalOf(tiny.ask({}))).toMatchObject({ code: Code.Internal, rawMessage: 'internal' })
    expect(await ended()).toContain('INTERNAL')
  })
})

/** A handler that waits for what does not come. */
const never = () => new Promise<never>(() => undefined)

/** At its deadline the caller also cuts the stream, and the service may hear of that first. */
const GIVEN_UP = expect.stringMatching(/^(DEADLINE_EXCEEDED|CANCELED)$/)

describe('a deadline', () => {
  test('ends a call whose handler does not look at it', async () => {
    const { tiny, ended } = await serving({ ask: never })
    const began = performance.now()
    expect(await refusalOf(tiny.ask({}, { timeoutMs: 200 }))).toMatchObject({ code: Code.DeadlineExceeded })
    expect(performance.now() - began).toBeLessThan(1500)
    await expect.poll(ended).toContainEqual(GIVEN_UP)
  })

  test('ends a stream that goes on', async () => {
    const { tiny, ended } = await serving({
      async *hear(_request, { signal }) {
        yield {}
        await once(signal, 'abort')
      },
    })
    expect(await refusalOf(heard(tiny.hear({}, { timeoutMs: 200 })))).toMatchObject({
      code: Code.DeadlineExceeded,
    })
    await expect.poll(ended).toContainEqual(GIVEN_UP)
  })

  test('comes with every call through the sidecar, and means that nobody answered', async () => {
    const { port } = await serving({ ask: never })
    const error = asRefusal(await refusalOf(throughSidecar(port).ask({})), 'tiny')
    expect(error).toMatchObject({ name: 'Refusal', code: 'unavailable' })
  })
})

test('a sidecar that is away means that nobody answered', async () => {
  const error = asRefusal(await refusalOf(throughSidecar(1).ask({})), 'tiny')
  expect(error).toMatchObject({ name: 'Refusal', code: 'unavailable' })
})

test('a message too large is refused', async () => {
  const { tiny } = await serving()
  // A field that the service does not know counts as well.
  const question = { $typeName: 'tiny.Empty', $unknown: [{ no: 1, wireType: 2, data: largeField() }] }
  expect(await refusalOf(tiny.ask(question))).toMatchObject({ code: Code.ResourceExhausted })
})

function largeField(): Uint8Array {
  const bytes = new Uint8Array(70_003)
  // Its length, as a varint.
  bytes.set([0xf0, 0xa2, 0x04])
  return bytes
}

describe('strangers', () => {
  test('learn by grpc.health.v1 whether it is ready, and the sidecar whether it lives', async () => {
    let isReady = false
    const ready = async () => {
      if (!isReady) throw new Refusal('unavailable', 'the sidecar is not ready')
    }
    const { transport } = await serving({ ready })
    const health = createClient(Health, transport)
    expect(await health.check({})).toMatchObject({ status: Status.NOT_SERVING })
    await createClient(AppCallbackHealthCheck, transport).healthCheck({})
    isReady = true
    expect(await health.check({ service: 'tiny.Tiny' })).toMatchObject({ status: Status.SERVING })
    expect(await refusalOf(health.check({ service: 'tiny.Other' }))).toMatchObject({ code: Code.NotFound })
  })

  test('learn by grpc.reflection.v1 what can be asked', async () => {
    const { transport } = await serving()
    const asked = [
      { case: 'listServices', value: '' },
      { case: 'fileContainingSymbol', value: 'tiny.Tiny.Ask' },
      { case: 'fileByFilename', value: 'tiny.proto' },
      { case: 'fileContainingSymbol', value: 'tiny.Nothing' },
      { case: 'allExtensionNumbersOfType', value: 'tiny.Empty' },
    ] as const
    async function* questions() {
      for (const messageRequest of asked) yield { messageRequest }
    }
    const answers = []
    for await (const { messageResponse } of createClient(ServerReflection, transport).serverReflectionInfo(
      questions(),
    )) {
      answers.push(messageResponse)
    }
    expect(answers).toMatchObject([
      {
        case: 'listServicesResponse',
        value: {
          service: [
            { name: 'tiny.Tiny' },
            { name: 'grpc.health.v1.Health' },
            { name: 'grpc.reflection.v1.ServerReflection' },
          ],
        },
      },
      { case: 'fileDescriptorResponse' },
      { case: 'fileDescriptorResponse' },
      { case: 'errorResponse', value: { errorCode: Code.NotFound } },
      { case: 'errorResponse', value: { errorCode: Code.Unimplemented } },
    ])
    const [, described] = answers
    const [bytes] = described?.case === 'fileDescriptorResponse' ? described.value.fileDescriptorProto : []
    const told: FileDescriptorProto = fromBinary(FileDescriptorProtoSchema, bytes as Uint8Array)
    expect(told).toEqual(file)
  })
})
