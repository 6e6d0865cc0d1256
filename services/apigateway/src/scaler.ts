import { once } from 'node:events'
import { createServer, type ServerHttp2Session } from 'node:http2'
import { Apigateway } from '@tideshop/contracts/gen/apigateway_pb'
import { ExternalScaler, type ScaledObjectRef } from '@tideshop/kit/gen/externalscaler/externalscaler_pb'
import { grpcApp } from '@tideshop/kit/grpc'
import type { HttpParts } from '@tideshop/kit/http'
import type { GrpcHandler } from '@tideshop/kit/listener'
import { Refusal } from '@tideshop/kit/refusal'
import { type Demand, type Sign, signsBy } from './demand.ts'

/**
 * Wakes: a scaler of KEDA's (`external-push`) that tells of demand as soon as the door sees it. By Prometheus or the lag of a
 * group KEDA learns it up to a second later, when it looks (docs/scaling.md). It wakes and never grows: its value is 1 while there is
 * demand and else 0, and one replica is wanted for each 1.
 *
 * A trigger names by app-id and comma what is a sign: `calls` that were in vain, and `changes` that were taken on. KEDA listens
 * to one door, which is told by the others what they see (others.ts).
 */

/** Milliseconds of silence after which a KEDA that is cut off from here is not waited for. */
const CLOSED_WITHIN_MS = 2000
/** Signs that one message may tell of (contracts/apigateway.proto). */
const SIGNS_MAX = 20
const METRIC = 'demand'
const SPEC = { metricSpecs: [{ metricName: METRIC, targetSizeFloat: 1 }] }

export type ScalerParts = HttpParts & {
  demand: Demand
  /** Fires when the door has to leave: KEDA listens for ever. */
  leaving: AbortSignal
}

export function scalerGrpc(parts: ScalerParts): GrpcHandler {
  const { demand, leaving } = parts
  const isWanted = (of: ScaledObjectRef | undefined) => demand.isFor(signsIn(of))
  return grpcApp(parts, (router) => {
    router.service(ExternalScaler, {
      isActive: (of) => ({ result: isWanted(of) }),

      async *streamIsActive(of, { signal }) {
        for await (const _ of demand.whenFor(signsIn(of), AbortSignal.any([signal, leaving]))) {
          yield { result: true }
        }
      },

      getMetricSpec: () => SPEC,

      // It never changes; but a KEDA that asked when no door was there has no other way to learn of it.
      async *streamMetricSpec(_, { signal }) {
        yield SPEC
        const over = AbortSignal.any([signal, leaving])
        if (!over.aborted) await once(over, 'abort')
      },

      getMetrics: ({ scaledObjectRef }) => ({
        metricValues: [{ metricName: METRIC, metricValueFloat: isWanted(scaledObjectRef) ? 1 : 0 }],
      }),
    })
    router.service(Apigateway, {
      tell: (told) => {
        const signs = signsBy(told)
        if (signs.length > SIGNS_MAX) throw new Refusal('invalid', `more than ${SIGNS_MAX} signs at once`)
        for (const sign of signs) demand.hear(sign)
        return {}
      },
    })
  })
}

/** Until `leaving`. At a port of its own, which only the cluster reaches: the door's is everybody's. */
export async function serveScaler(parts: ScalerParts, port: number): Promise<void> {
  const server = createServer(scalerGrpc(parts))
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  server.listen(port)
  await once(server, 'listening')
  parts.log.info({ port }, 'wakes sleepers')
  if (!parts.leaving.aborted) await once(parts.leaving, 'abort')
  const closed = once(server, 'close')
  server.close()
  // KEDA turns to another door when it is told, and not only when it finds nobody.
  for (const session of sessions) {
    session.close()
    session.setTimeout(CLOSED_WITHIN_MS, () => session.destroy())
  }
  await closed
}

function signsIn(of: ScaledObjectRef | undefined): Sign[] {
  const { calls, changes } = of?.scalerMetadata ?? {}
  const signs = signsBy({ calls: appIdsIn(calls), changes: appIdsIn(changes) })
  if (signs.length === 0) throw new Refusal('invalid', 'the trigger names neither `calls` nor `changes`')
  return signs
}

function appIdsIn(named = ''): string[] {
  return named.split(',').filter((appId) => appId !== '')
}
