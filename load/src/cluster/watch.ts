import { ApiRefusal, type KubeApi } from './api.ts'
import { quantity } from './quantity.ts'
import {
  type Autoscaler,
  type Deployment,
  type Scaled,
  type ScaledObject,
  scaledOf,
  thresholdsOf,
} from './scaled.ts'

/** What the autoscaler of each Deployment of a namespace is told, and what it made of it. */

type List<T> = { items: T[] }
type MetricValues = List<{ value: string }>

/** A value costs a question to the broker or to Prometheus; KEDA itself asks each second. */
const VALUES_EVERY_MS = 1000

export class ClusterWatch {
  readonly api: KubeApi
  readonly namespace: string
  #values = new Map<string, Map<string, number | null>>()
  #valuesAt = Number.NEGATIVE_INFINITY

  constructor(api: KubeApi, namespace: string) {
    this.api = api
    this.namespace = namespace
  }

  /** Throws when the API server does not answer. Sorted by name. */
  async look(): Promise<Scaled[]> {
    const [deployments, objects, autoscalers] = await Promise.all([
      this.#list<Deployment>('apis/apps/v1', 'deployments'),
      this.#list<ScaledObject>('apis/keda.sh/v1alpha1', 'scaledobjects'),
      this.#list<Autoscaler>('apis/autoscaling/v2', 'horizontalpodautoscalers'),
    ])
    const targeted = deployments.map((deployment) => {
      const isIts = ({ spec }: Autoscaler | ScaledObject) =>
        spec.scaleTargetRef.name === deployment.metadata.name
      return { deployment, object: objects.find(isIts), autoscaler: autoscalers.find(isIts) }
    })
    await this.#askForValues(targeted)
    return targeted
      .map(({ deployment, object, autoscaler }) =>
        scaledOf(deployment, object, autoscaler, this.#values.get(deployment.metadata.name) ?? new Map()),
      )
      .toSorted((one, other) => one.service.localeCompare(other.service))
  }

  async #askForValues(
    targeted: {
      deployment: Deployment
      object: ScaledObject | undefined
      autoscaler: Autoscaler | undefined
    }[],
  ): Promise<void> {
    if (performance.now() - this.#valuesAt < VALUES_EVERY_MS) return
    this.#valuesAt = performance.now()
    await Promise.all(
      targeted.map(async ({ deployment, object, autoscaler }) => {
        const names = object === undefined ? [] : thresholdsOf(autoscaler).map(({ name }) => name)
        const values = names.map(async (name): Promise<[string, number | null]> => {
          return [name, await this.#valueOf(name, object?.metadata.name ?? '')]
        })
        this.#values.set(deployment.metadata.name, new Map(await Promise.all(values)))
      }),
    )
  }

  /** As the autoscaler asks for it. KEDA refuses while it cannot ask the source itself. */
  async #valueOf(metric: string, object: string): Promise<number | null> {
    const selector = encodeURIComponent(`scaledobject.keda.sh/name=${object}`)
    const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${this.namespace}/${metric}?labelSelector=${selector}`
    try {
      const { items } = await this.api.get<MetricValues>(path)
      return items[0] === undefined ? null : quantity(items[0].value)
    } catch (error) {
      if (error instanceof ApiRefusal) return null
      throw error
    }
  }

  async #list<T>(group: string, kind: string): Promise<T[]> {
    return (await this.api.get<List<T>>(`/${group}/namespaces/${this.namespace}/${kind}`)).items
  }
}
