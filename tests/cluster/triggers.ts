import type { Kubectl } from '@tideshop/cluster/kubectl'
import { NAMESPACE } from '@tideshop/cluster/place'
import { vi } from 'vitest'

const PATIENCE = { timeout: 15_000, interval: 250 }

/** One trigger of a ScaledObject, as KEDA sees it now. */
export type TriggerSeen = {
  /** `users s0-kafka-user-create` */
  name: string
  /** What the autoscaler is told. */
  value: number
  /** One replica for so much. */
  threshold: number
  /** Whether it keeps its service awake. */
  isActive: boolean
  /** `Happy` while the value can be had. */
  health: string
  /** How often in a row KEDA was not answered. */
  failures: number
}

type ScaledObject = {
  metadata: { name: string }
  spec: { triggers: { metadata: Record<string, string> }[] }
  status: {
    externalMetricNames: string[]
    triggersActivity?: Record<string, { isActive: boolean }>
    health?: Record<string, { status: string; numberOfFailures: number }>
  }
}

/** Every trigger of `keda/`, asked for by the way that the autoscaler asks: KEDA evaluates it at that moment. */
export async function readTriggers(kubectl: Kubectl): Promise<TriggerSeen[]> {
  const objects = await vi.waitFor(() => scaledObjects(kubectl), PATIENCE)
  return Promise.all(
    objects.flatMap(({ metadata: { name }, spec, status }) =>
      status.externalMetricNames.map(async (metric, index) => ({
        name: `${name} ${metric}`,
        value: await askForValue(kubectl, name, metric),
        threshold: thresholdOf(spec.triggers[index]?.metadata ?? {}),
        isActive: status.triggersActivity?.[metric]?.isActive ?? false,
        health: status.health?.[metric]?.status ?? 'never asked',
        failures: status.health?.[metric]?.numberOfFailures ?? 0,
      })),
    ),
  )
}

/** Throws while KEDA has not looked at each of them yet. */
async function scaledObjects(kubectl: Kubectl): Promise<ScaledObject[]> {
  const { items } = await kubectl.get<{ items: ScaledObject[] }>('scaledobjects', `--namespace=${NAMESPACE}`)
  const unseen = items.filter(
    ({ status }: { status?: object }) => !status || !('externalMetricNames' in status),
  )
  if (unseen.length > 0) throw new Error(`KEDA has not seen ${unseen.map(({ metadata }) => metadata.name)}`)
  return items
}

/** After a broker's restart KEDA has no value for a moment, as the autoscaler, too, is told: it asks again. */
export async function askForValue(kubectl: Kubectl, name: string, metric: string): Promise<number> {
  const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${NAMESPACE}/${metric}`
  const selector = encodeURIComponent(`scaledobject.keda.sh/name=${name}`)
  const answer = await vi.waitFor(
    () => kubectl.run('get', '--raw', `${path}?labelSelector=${selector}`),
    PATIENCE,
  )
  const [item] = (JSON.parse(answer) as { items: { value: string }[] }).items
  return quantity(item?.value ?? 'none')
}

/** Kubernetes writes thousandths with an m: `1500m` is 1.5. */
export function quantity(text: string): number {
  return text.endsWith('m') ? Number(text.slice(0, -1)) / 1000 : Number(text)
}

/** Each type of trigger has a word of its own for it. */
function thresholdOf({ threshold, lagThreshold, queryValue, value }: Record<string, string>): number {
  return Number(threshold ?? lagThreshold ?? queryValue ?? value)
}
