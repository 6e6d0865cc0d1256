import { isDeepStrictEqual } from 'node:util'

/** The ScaledObjects that the lab lets take turns at one Deployment. */

export type Spec = { triggers: Trigger[]; minReplicaCount?: number; [setting: string]: unknown }
export type Trigger = { type: string; metricType?: string; metadata: Record<string, string> }

export type Variant = {
  /** As it is typed and shown. */
  name: string
  /** What it is, in a few words. */
  about: string
  spec: Spec
}

export type Sources = {
  /** Of the Deployment, as it is in `keda/`, or in the cluster. */
  ours: Spec
  /** Of the Deployment, as `keda/as-published/` has it; null where no system published one. */
  published: Spec | null
  /** Calls that the door makes of the shop. */
  requestRate: Trigger
  /** Messages that wait, in the topic that the Deployment hears, or in the first of the saga where it hears none; null where the load has none. */
  lag: Trigger | null
}

/** The zero at rest is of a counter that every door has. */
const NOBODY = 'or 0 * sum(dapr_http_server_request_count{app_id="apigateway"})'
/** Milliseconds that ended in a second, of calls by HTTP and by gRPC: what keda/apigateway.yaml counts. */
const BUSY_MS = [
  'dapr_http_server_latency_sum{app_id="apigateway",method=~"GET|POST",path!~"/v1.0/(healthz.*|state/settings)"}',
  'dapr_grpc_io_server_server_latency_sum{app_id="apigateway",grpc_server_method=~"/tideshop[.].*"}',
].map((series) => `(sum(rate(${series}[8s])) ${NOBODY})`)

/** Calls in flight on an average, by Little's law: so many a second, times how long each takes. Five is system E's number. */
const CONCURRENCY: Trigger = {
  type: 'prometheus',
  metadata: {
    serverAddress: 'http://prometheus.tideshop.svc:9090',
    query: `(${BUSY_MS.join(' + ')}) / 1000`,
    threshold: '5',
    ignoreNullValues: 'false',
  },
}

/** System C's number. Nobody sleeps by it: who is not there uses no processor. */
const CPU: Trigger = { type: 'cpu', metricType: 'Utilization', metadata: { value: '50' } }

/**
 * In the order in which they run. All but the published one have our bounds and our pace, so that only the trigger differs.
 * The published one is the last, since it may take five minutes to shrink: ours, which is put back after it, does not.
 */
export function variantsOf({ ours, published, requestRate, lag }: Sources, hasCpu: boolean): Variant[] {
  const by = (name: string, trigger: Trigger, about: string): Variant => {
    return { name, about, spec: { ...ours, triggers: [trigger] } }
  }
  const others = [
    ...(lag === null ? [] : [by('lag', lag, `${lag.metadata['topic']}, ${perReplica(lag)} that wait`)]),
    by('rate', requestRate, `calls of the door, ${perReplica(requestRate)} a second`),
    by('concurrency', CONCURRENCY, `calls of the door, ${perReplica(CONCURRENCY)} in flight`),
  ].filter(({ spec }) => !isDeepStrictEqual(spec.triggers, ours.triggers))
  return [
    { name: 'ours', about: tellTriggers(ours), spec: ours },
    ...others,
    ...(hasCpu ? [cpuVariant(ours)] : []),
    ...(published === null
      ? []
      : [{ name: 'published', about: `${tellTriggers(published)}, as published`, spec: published }]),
  ]
}

function cpuVariant(ours: Spec): Variant {
  // A fallback is for values that can be missed; KEDA refuses one for processor time.
  const { fallback: _, ...rest } = ours
  const minReplicaCount = Math.max(1, ours.minReplicaCount ?? 0)
  return {
    name: 'cpu',
    about: 'processor time, 50 % of what is requested',
    spec: { ...rest, minReplicaCount, triggers: [CPU] },
  }
}

/** Of those that grow; who is pushed is woken. */
function tellTriggers({ triggers }: Spec): string {
  const growing = triggers.filter(({ type }) => type !== 'external-push')
  const told = growing.map((trigger) => {
    const { type, metadata } = trigger
    return `${[type, metadata['topic']].filter(Boolean).join(' ')}, ${perReplica(trigger)}`
  })
  return told.join(' and ')
}

function perReplica({ metadata: { threshold, lagThreshold, value } }: Trigger): string {
  return `one replica for every ${threshold ?? lagThreshold ?? value}`
}
