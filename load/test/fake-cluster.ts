import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the fake does wrong, so that a test can see whether the load tool notices. */
export type ClusterLie = 'never grows' | 'never shrinks'

/** One Deployment, as a scaler would have it while somebody comes to the shop. */
const SERVICE = 'users'
const METRIC = 's0-kafka-user-create'
const THRESHOLD = 25
const GROWN = 4
/** A trigger sees a load at once, pods come a while later, and both go some time after it. */
const READY_AFTER_MS = 400
const COOL_MS = 800

export type FakeCluster = {
  /** A kubeconfig for it. */
  write: (file: string) => string
  /** ScaledObjects that were made, in their order. */
  made: ScaledObject[]
} & AsyncDisposable

type ScaledObject = { metadata: object; spec: Record<string, unknown> }

/** An API server with what the load tool reads of one. `arrivals` is how many have come to the shop so far. */
export async function fakeCluster(arrivals: () => number, lie?: ClusterLie): Promise<FakeCluster> {
  const made: ScaledObject[] = []
  let object: ScaledObject | null = scaledObject()
  const tide = tideOf(arrivals, lie)
  const routes: Record<string, () => unknown> = {
    '/apis/apps/v1/namespaces/tideshop/deployments': () => ({ items: [deployment(tide())] }),
    '/apis/keda.sh/v1alpha1/namespaces/tideshop/scaledobjects': () => ({
      items:
        object === null
          ? []
          : [{ ...object, status: { triggersActivity: { [METRIC]: { isActive: tide().isActive } } } }],
    }),
    [`/apis/keda.sh/v1alpha1/namespaces/tideshop/scaledobjects/${SERVICE}`]: () => object,
    '/apis/autoscaling/v2/namespaces/tideshop/horizontalpodautoscalers': () => ({ items: [autoscaler()] }),
    '/api/v1/nodes/node-0/proxy/metrics/resource': resources,
    [`/apis/external.metrics.k8s.io/v1beta1/namespaces/tideshop/${METRIC}`]: () => ({
      items: [{ value: String(tide().isActive ? GROWN * THRESHOLD : 0) }],
    }),
    '/api/v1/nodes': () => ({ items: [{ metadata: { name: 'node-0' } }] }),
  }
  const server = createServer(async (request, response) => {
    const path = String(request.url).replace(/\?.*/, '')
    const isDelete = request.method === 'DELETE'
    if (isDelete) object = null
    if (request.method === 'POST') {
      object = JSON.parse(await readBody(request)) as ScaledObject
      made.push(object)
    }
    answer(response, isDelete ? () => ({}) : routes[path])
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    made,
    write(file) {
      writeFileSync(file, JSON.stringify(kubeconfig(url)))
      return file
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

type Tide = { isActive: boolean; wanted: number; ready: number }

function tideOf(arrivals: () => number, lie: ClusterLie | undefined): () => Tide {
  let seen = 0
  let firstAt: number | null = null
  let lastAt = Number.NEGATIVE_INFINITY
  return () => {
    const now = performance.now()
    if (arrivals() > seen) {
      seen = arrivals()
      firstAt ??= now
      lastAt = now
    }
    const isActive = now - lastAt < COOL_MS || (lie === 'never shrinks' && firstAt !== null)
    const wanted = isActive && lie !== 'never grows' ? GROWN : 0
    const isThere = firstAt !== null && now - firstAt > READY_AFTER_MS
    return { isActive, wanted, ready: isThere ? wanted : 0 }
  }
}

function deployment({ wanted, ready }: Tide) {
  return {
    metadata: { name: SERVICE },
    spec: { replicas: wanted },
    status: { replicas: wanted, readyReplicas: ready },
  }
}

function scaledObject(): ScaledObject {
  const triggers = [{ type: 'kafka', metadata: { lagThreshold: String(THRESHOLD) } }]
  return {
    metadata: { name: SERVICE, labels: { app: SERVICE }, resourceVersion: '1' },
    spec: { scaleTargetRef: { name: SERVICE }, minReplicaCount: 0, maxReplicaCount: 12, triggers },
  }
}

function autoscaler() {
  const external = { metric: { name: METRIC }, target: { averageValue: String(THRESHOLD) } }
  return { spec: { scaleTargetRef: { name: SERVICE }, metrics: [{ type: 'External', external }] } }
}

/** Half a core for one pod, as long as it is asked. */
function resources(): string {
  const seconds = performance.now() / 2000
  return `pod_cpu_usage_seconds_total{namespace="tideshop",pod="${SERVICE}-5d9c-x2x4"} ${seconds} 1700000000000\n`
}

function kubeconfig(server: string) {
  return {
    'current-context': 'fake',
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }],
    clusters: [{ name: 'fake', cluster: { server } }],
    users: [{ name: 'fake', user: {} }],
  }
}

function answer(response: ServerResponse, route: (() => unknown) | undefined): void {
  const found = route?.() ?? null
  response.writeHead(found === null ? 404 : 200, { 'content-type': 'application/json' })
  response.end(typeof found === 'string' ? found : JSON.stringify(found ?? { message: 'no such path' }))
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += chunk
  return body
}
