import { quantity } from './quantity.ts'

/** A Deployment with what decides about its size, put together from the three objects that Kubernetes and KEDA keep. */

export type Scaled = {
  service: string
  /** Replicas asked for by whoever decides, pods that exist, and those of them that serve. */
  wanted: number
  pods: number
  ready: number
  /** Bounds of the scaler; both are `wanted` where there is none. */
  min: number
  max: number
  triggers: Trigger[]
}

export type Trigger = {
  /** As KEDA names its metric: `s1-kafka-user-create-response`. */
  name: string
  /** One replica for every so much. */
  threshold: number
  /** Whether it keeps the service awake. A value alone does not say so: KEDA rounds lag up to whole replicas. */
  isActive: boolean
  /** As the autoscaler is told; null when it cannot be had. */
  value: number | null
}

export type Deployment = {
  metadata: { name: string }
  spec: { replicas?: number }
  status?: { replicas?: number; readyReplicas?: number }
}

export type Autoscaler = {
  spec: {
    scaleTargetRef: { name: string }
    metrics?: { type: string; external?: { metric: { name: string }; target: Target } }[]
  }
}
type Target = { averageValue?: string; value?: string }

export type ScaledObject = {
  metadata: { name: string }
  spec: { scaleTargetRef: { name: string }; minReplicaCount?: number; maxReplicaCount?: number }
  status?: { triggersActivity?: Record<string, { isActive: boolean }> }
}

/** KEDA's, where a ScaledObject does not say. */
const MAX_BY_DEFAULT = 100

/** Values are of metrics by their names, `null` where KEDA has none. */
export function scaledOf(
  { metadata, spec, status = {} }: Deployment,
  object: ScaledObject | undefined,
  autoscaler: Autoscaler | undefined,
  values: ReadonlyMap<string, number | null>,
): Scaled {
  const wanted = spec.replicas ?? 1
  return {
    service: metadata.name,
    wanted,
    pods: status.replicas ?? 0,
    ready: status.readyReplicas ?? 0,
    min: object === undefined ? wanted : (object.spec.minReplicaCount ?? 0),
    max: object === undefined ? wanted : (object.spec.maxReplicaCount ?? MAX_BY_DEFAULT),
    triggers: thresholdsOf(autoscaler).map(({ name, threshold }) => ({
      name,
      threshold,
      isActive: object?.status?.triggersActivity?.[name]?.isActive ?? false,
      value: values.get(name) ?? null,
    })),
  }
}

/** Of the external metrics of an autoscaler that KEDA made. */
export function thresholdsOf(autoscaler: Autoscaler | undefined): { name: string; threshold: number }[] {
  return (autoscaler?.spec.metrics ?? []).flatMap(({ external }) => {
    const threshold = external?.target.averageValue ?? external?.target.value
    return external === undefined || threshold === undefined
      ? []
      : [{ name: external.metric.name, threshold: quantity(threshold) }]
  })
}

/** The replicas that the triggers ask for: value by threshold, rounded up, the one that asks for most, within bounds. */
export function demandOf({ triggers, min, max }: Pick<Scaled, 'triggers' | 'min' | 'max'>): number {
  if (!triggers.some(({ isActive }) => isActive)) return min
  const asked = triggers.map(({ value, threshold }) => Math.ceil((value ?? 0) / threshold))
  return Math.min(Math.max(1, min, ...asked), max)
}
