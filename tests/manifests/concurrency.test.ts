import { join } from 'node:path'
import { INTERCEPTOR } from '@tideshop/cluster/http-add-on'
import { root } from '@tideshop/run/arguments'
import { describe, expect, test } from 'vitest'
import { objectsIn, objectsOf } from './manifests.ts'

/** System E: 5 requests in flight for each replica, from 0 to 20. In no overlay. */

const storefront = objectsOf('kind').find(
  ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'storefront',
)

describe('storefront by KEDA’s HTTP add-on', () => {
  const objects = objectsIn(join(root, 'keda/as-published/storefront.yaml'))
  const [service, route, scaler] = objects

  test('E: 5 in flight, 0 to 20', () => {
    expect(route.spec.scalingMetric).toEqual({ concurrency: { targetValue: 5 } })
    expect(scaler.spec).toMatchObject({
      scaleTargetRef: { name: 'storefront' },
      minReplicaCount: 0,
      maxReplicaCount: 20,
    })
  })

  test('takes the place of ours: an object can have one scaler only', () => {
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'Service storefront',
      'InterceptorRoute storefront',
      'ScaledObject storefront',
    ])
  })

  test('is told by the add-on who waits, and leads callers to the pods', () => {
    const [{ type, metadata }] = scaler.spec.triggers
    expect([type, metadata.interceptorRoute]).toEqual(['external-push', route.metadata.name])
    // KEDA asks from its own namespace, which is the add-on's too.
    expect(metadata.scalerAddress).toMatch(new RegExp(`\\.${INTERCEPTOR.namespace}:\\d+$`))
    expect(route.spec.target).toEqual({ service: service.metadata.name, port: service.spec.ports[0].port })
    expect(storefront.spec.template.metadata.labels).toMatchObject(service.spec.selector)
    expect(service.spec.ports[0].targetPort).toBe(storefront.spec.template.spec.containers[0].ports[0].name)
  })

  test('waits for nothing for ever', () => {
    const { readiness, responseHeader, request } = route.spec.timeouts
    for (const time of [readiness, responseHeader, request]) expect(time).toMatch(/^[1-9]\d*s$/)
  })
})

describe('storefront as a Service of Knative', () => {
  const [{ apiVersion, kind, metadata, spec }, ...others] = objectsIn(
    join(root, 'k8s/knative/storefront.yaml'),
  )
  const { template } = spec
  const [app] = template.spec.containers
  const [ours] = storefront.spec.template.spec.containers

  test('E: 5 in flight, 0 to 20', () => {
    expect([apiVersion, kind, metadata.name, others]).toEqual([
      'serving.knative.dev/v1',
      'Service',
      'storefront',
      [],
    ])
    expect(template.spec.containerConcurrency).toBe(5)
    expect(template.metadata.annotations).toMatchObject({
      'autoscaling.knative.dev/metric': 'concurrency',
      'autoscaling.knative.dev/min-scale': '0',
      'autoscaling.knative.dev/max-scale': '20',
    })
  })

  test('has the sidecar of the overlays, which leaves the queue-proxy its ports', () => {
    const daprOf = (annotations: Record<string, string>) =>
      Object.entries(annotations).filter(([name]) => name.startsWith('dapr.io/'))
    const port = template.metadata.annotations['dapr.io/metrics-port']
    expect([8008, 8012, 8013, 8022, 8112, 9090, 9091].map(String)).not.toContain(port)
    const { annotations } = storefront.spec.template.metadata
    expect(Object.fromEntries(daprOf(template.metadata.annotations))).toEqual({
      ...Object.fromEntries(daprOf(annotations)),
      'dapr.io/metrics-port': port,
    })
  })

  test('is the same program, with what Knative lets a pod say', () => {
    expect(app.image).toBe(ours.image)
    expect([app.resources, template.spec.serviceAccountName]).toEqual([ours.resources, 'storefront'])
    // Knative says PORT by itself and refuses who says it too.
    expect(app.env).toEqual(
      expect.arrayContaining(ours.env.filter(({ name }: { name: string }) => name !== 'PORT')),
    )
    expect(app.env.length).toBe(ours.env.length - 1)
    expect(app.securityContext).toMatchObject(ours.securityContext)
    const taken = [
      'automountServiceAccountToken',
      'containerConcurrency',
      'containers',
      'serviceAccountName',
      'timeoutSeconds',
    ]
    expect(Object.keys(template.spec).toSorted()).toEqual(taken)
    for (const text of [template.metadata.annotations, metadata.labels].flatMap(Object.values))
      expect(text).toBeTypeOf('string')
  })
})
