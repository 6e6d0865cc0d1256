import { type DescFile, type DescService, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect'
import { AppCallbackHealthCheck } from '../gen/dapr/proto/runtime/v1/appcallback_pb.js'
import { Health, HealthCheckResponse_ServingStatus as Status } from '../gen/grpc/health/v1/health_pb.js'
import {
  ServerReflection,
  type ServerReflectionRequest,
  type ServerReflectionResponseSchema,
} from '../gen/grpc/reflection/v1/reflection_pb.js'

/** Questions in one reflection stream: a tool that reads all there is asks some dozens. */
const QUESTIONS_MAX = 1000

/** What strangers ask of every gRPC app: whether it lives, whether it is ready, and what it can be asked. */
export function answerProbes(
  router: ConnectRouter,
  services: readonly DescService[],
  ready: () => Promise<void>,
): void {
  const names = new Set(['', ...services.map(({ typeName }) => typeName)])

  // The sidecar's question, as /healthz: whether the app answers at all, and nobody else's state.
  router.service(AppCallbackHealthCheck, { healthCheck: () => ({}) })

  // As /readyz. Who wants to watch it is told UNIMPLEMENTED, which the protocol knows: ask again instead.
  router.service(Health, {
    async check({ service }) {
      if (!names.has(service)) throw new ConnectError(`there is no service ${service}`, Code.NotFound)
      return { status: await statusNow(ready) }
    },
  })

  const all = [...services, Health, ServerReflection]
  router.service(ServerReflection, {
    async *serverReflectionInfo(questions) {
      let asked = 0
      for await (const question of questions) {
        asked += 1
        if (asked > QUESTIONS_MAX) throw new ConnectError('too many questions', Code.ResourceExhausted)
        const messageResponse = replyTo(all, question)
        yield { validHost: question.host, originalRequest: question, messageResponse }
      }
    },
  })
}

function statusNow(ready: () => Promise<void>): Promise<Status> {
  return ready().then(
    () => Status.SERVING,
    () => Status.NOT_SERVING,
  )
}

type Reply = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>['messageResponse']>

function replyTo(services: readonly DescService[], { messageRequest }: ServerReflectionRequest): Reply {
  const { case: asked, value } = messageRequest
  const files = new Set(services.flatMap(({ file }) => withImports(file)))
  switch (asked) {
    case 'listServices': {
      const service = services.map(({ typeName }) => ({ name: typeName }))
      return { case: 'listServicesResponse', value: { service } }
    }
    case 'fileByFilename':
      return described([...files].find(({ proto }) => proto.name === value))
    case 'fileContainingSymbol':
      return described([...files].find((file) => declares(file, value)))
    default:
      // The shop's messages have no extensions.
      return failure(Code.Unimplemented, 'ask for services, files or symbols')
  }
}

/** With all that it imports, so that who asks has no more to ask for. */
function described(file: DescFile | undefined): Reply {
  if (file === undefined) return failure(Code.NotFound, 'there is no such file or symbol')
  const fileDescriptorProto = withImports(file).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto))
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } }
}

function withImports(file: DescFile): DescFile[] {
  return [...new Set([file, ...file.dependencies.flatMap(withImports)])]
}

/** A service, a message or an enum by its full name; a method, field or value by that of what it is in. */
function declares(file: DescFile, symbol: string): boolean {
  const names = [...file.services, ...file.messages, ...file.enums].map(({ typeName }) => typeName)
  return names.some((name) => symbol === name || symbol.startsWith(`${name}.`))
}

function failure(errorCode: Code, errorMessage: string): Reply {
  return { case: 'errorResponse', value: { errorCode, errorMessage } }
}
