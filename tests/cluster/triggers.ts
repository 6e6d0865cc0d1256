import type { Kubectl } from '@tideshop/cluster/kubectl'
import { NAMESPACE } from '@tideshop/cluster/place'
import { quantity } from '@tideshop/load/cluster/quantity'
import { expect, vi } from 'vitest'
import { clusterApi } from './api.ts'

const PATIENCE = { timeout: 60_000, interval: 250 }
const REST_PATIENCE = { timeout: 120_000, interval: 500 }

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
export async function readTriggers(): Promise<TriggerSeen[]> {
  const objects = await vi.waitFor(scaledObjects, PATIENCE)
  return Promise.all(
    objects.flatMap(({ metadata: { name }, spec, status }) =>
      status.externalMetricNames.map(async (metric, index) => ({
        name: `${name} ${metric}`,
        value: await askForValue(name, metric),
        threshold: thresholdOf(spec.triggers[index]?.metadata ?? {}),
        isActive: status.triggersActivity?.[metric]?.isActive ?? false,
        health: status.health?.[metric]?.status ?? 'never asked',
        failures: status.health?.[metric]?.numberOfFailures ?? 0,
      })),
    ),
  )
}

/** None where KEDA has no answer for the moment, as while many pods start: for who looks again and again. */
export function triggersIfTold(): Promise<TriggerSeen[]> {
  return readTriggers().catch(() => [])
}

/** Until KEDA has an answer for each. One that asked a pod which was leaving has none for a look or two. */
export async function untilHappy(): Promise<void> {
  await untilNone(({ health }) => health !== 'Happy')
}

/** Until none keeps its service awake, which for a door that is one again is some seconds later than its replicas tell. */
export async function untilIdle(): Promise<void> {
  await untilNone(({ health, isActive }) => health !== 'Happy' || isActive)
}

async function untilNone(which: (trigger: TriggerSeen) => boolean): Promise<void> {
  await vi.waitFor(async () => expect((await readTriggers()).filter(which)).toEqual([]), REST_PATIENCE)
}

/** Throws while KEDA has not looked at each of them yet. */
async function scaledObjects(): Promise<ScaledObject[]> {
  const path = `/apis/keda.sh/v1alpha1/namespaces/${NAMESPACE}/scaledobjects`
  const { items } = await clusterApi().get<{ items: ScaledObject[] }>(path)
  const unseen = items.filter(
    ({ status }: { status?: object }) => !status || !('externalMetricNames' in status),
  )
  if (unseen.length > 0) throw new Error(`KEDA has not seen ${unseen.map(({ metadata }) => metadata.name)}`)
  return items
}

/** After a broker's restart KEDA has no value for a moment, as the autoscaler, too, is told: it asks again. */
export async function askForValue(name: string, metric: string): Promise<number> {
  const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${NAMESPACE}/${metric}`
  const selector = encodeURIComponent(`scaledobject.keda.sh/name=${name}`)
  type Values = { items: { value: string }[] }
  const { items } = await vi.waitFor(
    () => clusterApi().get<Values>(`${path}?labelSelector=${selector}`),
    PATIENCE,
  )
  return quantity(items[0]?.value ?? 'none')
}

/** Of one trigger, by its place in keda/, until the shop is applied again. */
export async function setThreshold(
  kubectl: Kubectl,
  service: string,
  trigger: number,
  value: number,
): Promise<void> {
  const of = ['scaledobject', service, `--namespace=${NAMESPACE}`]
  const metadata = `/spec/triggers/${trigger}/metadata`
  const { spec } = await kubectl.get<Pick<ScaledObject, 'spec'>>(...of)
  const [word] = THRESHOLDS.filter((name) => name in (spec.triggers[trigger]?.metadata ?? {}))
  const patch = JSON.stringify([{ op: 'replace', path: `${metadata}/${word}`, value: String(value) }])
  await kubectl.run('patch', ...of, '--type=json', `--patch=${patch}`)
}

/** Replicas, until the shop is applied again. */
export async function setMost(kubectl: Kubectl, service: string, maxReplicaCount: number): Promise<void> {
  const patch = `--patch=${JSON.stringify({ spec: { maxReplicaCount } })}`
  await kubectl.run('patch', 'scaledobject', service, `--namespace=${NAMESPACE}`, '--type=merge', patch)
}

/** Each type of trigger has a word of its own for it. */
const THRESHOLDS = ['threshold', 'lagThreshold', 'queryValue', 'value']
/** What the door's scaler wants one replica for, and says itself. */
const DEMAND = 1

function thresholdOf(metadata: Record<string, string>): number {
  return Number(THRESHOLDS.map((name) => metadata[name]).find((value) => value !== undefined) ?? DEMAND)
}
