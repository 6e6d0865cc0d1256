import { Code, ConnectError, type Interceptor, type Transport } from '@connectrpc/connect'
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'
import { BadRequestSchema } from '../gen/google/rpc/error_details_pb.js'
import { Refusal } from './refusal.ts'

/** Milliseconds for one call, as over HTTP (invoke.ts), unless the call says otherwise. */
const CALL_TIMEOUT_MS = 1000

/** The gRPC side of the app's own sidecar, which hands calls on to whom they name and changes nothing about them. */
export type GrpcSidecar = {
  /** For `createClient`; `asRefusal` says what its errors mean. */
  to: (appId: string) => Transport
  close: () => void
}

/**
 * All calls share one connection. Every call has a deadline, which travels with it through both sidecars. They send it once:
 * what they repeat of HTTP they do not repeat of gRPC (docs/dapr-notes.md).
 */
export function grpcSidecarOn(port: number): GrpcSidecar {
  const baseUrl = `http://127.0.0.1:${port}`
  const sessionManager = new Http2SessionManager(baseUrl)
  return {
    to: (appId) =>
      createGrpcTransport({
        baseUrl,
        sessionManager,
        interceptors: [addressedTo(appId)],
        defaultTimeoutMs: CALL_TIMEOUT_MS,
      }),
    close: () => sessionManager.abort(),
  }
}

function addressedTo(appId: string): Interceptor {
  return (next) => (call) => {
    call.header.set('dapr-app-id', appId)
    // The sidecar cannot tell a stream from a call. It counts them apart, and a policy of retries would end a stream.
    if (call.stream) call.header.set('dapr-stream', 'true')
    return next(call)
  }
}

/**
 * To be thrown instead of what a call to `appId` threw: a Refusal where the other service said no or could not be asked;
 * anything else is a fault of ours or theirs. Not an interceptor's work: Connect makes its own error of whatever one throws.
 */
export function asRefusal(thrown: unknown, appId: string): Refusal | ConnectError {
  const error = ConnectError.from(thrown)
  switch (error.code) {
    case Code.InvalidArgument:
      return new Refusal('invalid', error.rawMessage, badFields(error))
    case Code.NotFound:
      return new Refusal('not-found', error.rawMessage)
    case Code.Unavailable:
    // Of the sidecar, for a name that nobody has: our services never say it.
    case Code.Unknown:
    case Code.DeadlineExceeded:
    // So it looks when the sidecar cuts the call at its deadline a moment before we do.
    case Code.Canceled:
    case Code.ResourceExhausted:
      return new Refusal('unavailable', `${appId} does not answer`)
    default:
      return error
  }
}

function badFields(error: ConnectError) {
  const fields = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations)
  return fields.map(({ field, description }) => ({ path: field, message: description }))
}
