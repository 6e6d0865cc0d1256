import { Code, ConnectError, type ConnectRouter, type Interceptor } from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { BadRequestSchema } from '../gen/google/rpc/error_details_pb.js'
import { answerProbes } from './grpc-probes.ts'
import type { HttpParts } from './http.ts'
import type { GrpcHandler } from './listener.ts'
import { Refusal, type RefusalCode } from './refusal.ts'
import { traceIdOf } from './trace.ts'

/** Bytes of one message, where HTTP has its BODY_MAX. */
const MESSAGE_MAX = 64 * 1024
/** Milliseconds that a caller may give a call. A call without a deadline has none. */
const DEADLINE_MAX_MS = 10 * 60_000

const codeOf: Record<RefusalCode, Code> = {
  invalid: Code.InvalidArgument,
  unauthenticated: Code.Unauthenticated,
  forbidden: Code.PermissionDenied,
  'not-found': Code.NotFound,
  conflict: Code.FailedPrecondition,
  'too-large': Code.ResourceExhausted,
  'wrong-media-type': Code.InvalidArgument,
  'key-reused': Code.AlreadyExists,
  'too-many': Code.ResourceExhausted,
  unavailable: Code.Unavailable,
  uncertain: Code.Unavailable,
}

/**
 * A gRPC app that knows its health, describes itself (grpc.health.v1, grpc.reflection.v1) and answers every error with a
 * status; what `http.ts` is for HTTP. `routes` adds what the service does.
 *
 * A deadline ends a call for its caller, whatever its handler does. One that works for long should look at `context.signal`,
 * and one that streams has to.
 */
export function grpcApp(parts: HttpParts, routes: (router: ConnectRouter) => void): GrpcHandler {
  return connectNodeAdapter({
    routes: (router) => {
      routes(router)
      const services = new Set(router.handlers.map(({ service }) => service))
      answerProbes(router, [...services], parts.ready)
    },
    interceptors: [observed(parts)],
    readMaxBytes: MESSAGE_MAX,
    maxTimeoutMs: DEADLINE_MAX_MS,
  })
}

type Call = Parameters<ReturnType<Interceptor>>[0]

/** Counts and times every call to its end, which for a stream is that of its last message, and says no once. */
function observed(parts: HttpParts): Interceptor {
  return (next) => async (call) => {
    const ended = begun(parts, call)
    try {
      const response = await inTime(next(call), call.signal)
      if (response.stream) return { ...response, message: untilItsEnd(response.message, call.signal, ended) }
      ended(null)
      return response
    } catch (thrown) {
      throw ended(thrown)
    }
  }
}

/** Call it once: with null when all went well, else with what was thrown; it returns what the caller may read of it. */
function begun({ log, metrics }: HttpParts, call: Call): (thrown: unknown) => ConnectError | null {
  const rpc = `${call.service.typeName}/${call.method.name}`
  const trace = traceIdOf(call.header.get('traceparent') ?? undefined)
  const stop = metrics.rpcSeconds.startTimer({ rpc })
  return (thrown) => {
    const error = thrown === null ? null : asConnectError(thrown, call.signal)
    // What broke is for the operator to read, never for the caller.
    if (error?.code === Code.Internal) log.error({ err: thrown, rpc, trace }, 'a call failed')
    const code = error === null ? 'OK' : statusName(error.code)
    const seconds = stop({ code })
    log.debug({ rpc, code, seconds, trace }, 'a call')
    return error
  }
}

/** Connect leaves the deadline to handlers; one that does not look at it would answer when nobody listens any more. */
function inTime<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(signal.reason)
    if (signal.aborted) late()
    signal.addEventListener('abort', late, { once: true })
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', late))
  })
}

async function* untilItsEnd<T>(
  messages: AsyncIterable<T>,
  signal: AbortSignal,
  ended: (thrown: unknown) => ConnectError | null,
): AsyncIterable<T> {
  let isOver = false
  try {
    yield* messages
    signal.throwIfAborted()
    isOver = true
    ended(null)
  } catch (thrown) {
    isOver = true
    throw ended(thrown)
  } finally {
    // Who stops reading ends it too.
    if (!isOver) ended(new ConnectError('the caller left', Code.Canceled))
  }
}

function asConnectError(thrown: unknown, signal: AbortSignal): ConnectError {
  const late = ConnectError.from(signal.reason).code === Code.DeadlineExceeded
  // The caller has cut the stream, with whatever code: nobody's fault.
  if (thrown === signal.reason && !late) return new ConnectError('the caller left', Code.Canceled)
  if (thrown instanceof ConnectError) return thrown
  if (!(thrown instanceof Refusal)) return new ConnectError('internal', Code.Internal)
  return new ConnectError(thrown.message, codeOf[thrown.code], undefined, badFields(thrown))
}

function badFields({ errors }: Refusal) {
  if (errors.length === 0) return []
  const fieldViolations = errors.map(({ path, message }) => ({ field: path, description: message }))
  return [{ desc: BadRequestSchema, value: { fieldViolations } }]
}

/** `InvalidArgument` → `INVALID_ARGUMENT`, as it stands in gRPC's own list. */
function statusName(code: Code): string {
  return Code[code].replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()
}
