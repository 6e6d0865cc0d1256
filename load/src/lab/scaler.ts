import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { root } from '@tideshop/run/arguments'
import { parseAllDocuments } from 'yaml'
import { CannotRun } from '../arguments.ts'
import type { KubeApi } from '../cluster/api.ts'
import type { ClusterWatch } from '../cluster/watch.ts'
import type { Sources, Spec, Trigger } from './variants.ts'

/** The ScaledObject of one Deployment: what the files say of it, and what the cluster has. */

const KEDA = join(root, 'keda')
/** KEDA clears up first, and the autoscaler goes after its owner. */
const GONE_WITHIN_MS = 60_000
const LOOK_AGAIN_MS = 200

/** From `keda/`. Whether the load that is to come leaves messages in topics decides whether there is a lag to go by. */
export function readSources(service: string, hasLag: boolean): Sources {
  const ours = specIn(join(KEDA, `${service}.yaml`))
  if (ours === null) throw new CannotRun(`there is no keda/${service}.yaml`)
  return {
    ours,
    published: aloneIn(specIn(join(KEDA, 'as-published', `${service}.yaml`))),
    requestRate: triggerOf('apigateway', 'prometheus'),
    lag: hasLag ? (ours.triggers.find(({ type }) => type === 'kafka') ?? triggerOf('users', 'kafka')) : null,
  }
}

/** Of the ScaledObject, which may stand with others in its file. */
function specIn(file: string): Spec | null {
  if (!existsSync(file)) return null
  const objects = parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS())
  return objects.find(({ kind }: { kind: string }) => kind === 'ScaledObject')?.spec ?? null
}

/** Null where its trigger is pushed by something that has to be installed before, and that the callers have to ask. */
function aloneIn(spec: Spec | null): Spec | null {
  return spec?.triggers.every(({ type }) => type === 'external-push') ? null : spec
}

function triggerOf(service: string, kind: string): Trigger {
  const trigger = specIn(join(KEDA, `${service}.yaml`))?.triggers.find(({ type }) => type === kind)
  if (trigger === undefined) throw new CannotRun(`keda/${service}.yaml has no trigger of type ${kind}`)
  return trigger
}

/** Whether the cluster measures processor time of pods, for autoscalers. */
export function hasProcessorMetrics(api: KubeApi): Promise<boolean> {
  return api.has('/apis/metrics.k8s.io/v1beta1')
}

/** What of a ScaledObject is needed to make it again. */
export type Kept = { apiVersion: string; kind: string; metadata: object; spec: Spec }

type Found = Kept & { metadata: { labels?: object; annotations?: object } }

export async function readKept({ api, namespace }: ClusterWatch, service: string): Promise<Kept> {
  const object = `${objectsOf(namespace)}/${service}`
  if (!(await api.has(object))) throw new CannotRun(`the cluster has no scaler of ${service}`)
  const { apiVersion, kind, metadata, spec } = await api.get<Found>(object)
  const { labels = {}, annotations = {} } = metadata
  return { apiVersion, kind, metadata: { name: service, namespace, labels, annotations }, spec }
}

/**
 * Puts one in the place of the other. Not by a change of the one that is there: the autoscaler would go on with what it
 * remembers of the last five minutes, and a scaler at rest was seen to make eight pods of the turn before.
 */
export async function exchange({ api, namespace }: ClusterWatch, service: string, kept: Kept): Promise<void> {
  const objects = objectsOf(namespace)
  const object = `${objects}/${service}`
  const autoscaler = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers/keda-hpa-${service}`
  if (await api.has(object)) await api.remove(object)
  const deadline = performance.now() + GONE_WITHIN_MS
  while ((await api.has(object)) || (await api.has(autoscaler))) {
    if (performance.now() > deadline) throw new Error(`the scaler of ${service} does not go`)
    await delay(LOOK_AGAIN_MS)
  }
  await api.create(objects, kept)
}

function objectsOf(namespace: string): string {
  return `/apis/keda.sh/v1alpha1/namespaces/${namespace}/scaledobjects`
}
