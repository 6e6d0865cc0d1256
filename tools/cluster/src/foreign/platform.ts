import type { Kubectl } from '../kubectl.ts'
import {
  definitionsIn,
  isFoundation,
  isMarked,
  type KubeObject,
  listOf,
  marked,
  objectsOf,
  reference,
  titleOf,
  withoutCustom,
} from './objects.ts'
import type { Released } from './released.ts'
import { untilNothingIsMissing, type Waiting } from './waiting.ts'
import { unreadyIn } from './workloads.ts'

/*
 * Dapr and KEDA in a cluster that is not ours. Who has one keeps it as it is. What is brought is marked, object by object, and
 * only what is marked is ever changed or taken away.
 */

/** Images come from a registry, which may be slow. */
const READY_WITHIN_MS = 600_000
const INJECTOR = 'dapr-sidecar-injector'
const METRICS_API = '/apis/external.metrics.k8s.io/v1beta1'

export type Part = {
  title: string
  namespace: string
  /** Its Deployment, by which one is known that others installed. */
  operator: string
  /** What is missing although all its pods are there. */
  lacks: (kubectl: Kubectl) => Promise<string[]>
}

export const dapr: Part = {
  title: 'Dapr',
  namespace: 'dapr-system',
  operator: 'dapr-operator',
  lacks: async (kubectl) => {
    type Webhooks = { webhooks: { clientConfig: { caBundle?: string } }[] }
    const { webhooks } = await kubectl.get<Webhooks>('mutatingwebhookconfiguration', INJECTOR)
    return webhooks.every(({ clientConfig }) => clientConfig.caBundle) ? [] : ['the injector’s certificate']
  },
}

export const keda: Part = {
  title: 'KEDA',
  namespace: 'keda',
  operator: 'keda-operator',
  lacks: async (kubectl) => ((await kubectl.answers(METRICS_API)) ? [] : ['its metrics']),
}

/** All of a part, marked, with the namespace where the manifests have none. */
export function objectsOfPart({ namespace }: Part, objects: KubeObject[]): KubeObject[] {
  const space = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }
  const has = objects.some(({ kind, metadata }) => kind === 'Namespace' && metadata.name === namespace)
  return (has ? objects : [space, ...objects]).map((object) => marked(object))
}

export function partsOf(released: Released): [Part, KubeObject[]][] {
  return [
    [dapr, objectsOfPart(dapr, released.dapr)],
    [keda, objectsOfPart(keda, released.keda)],
  ]
}

export type Found =
  | { state: 'absent' }
  | { state: 'ours'; version: string }
  /** From here, but without its operator: an `up` was given up, or a `down`. */
  | { state: 'begun' }
  | { state: 'theirs'; version: string; namespace: string }
  /** Some of it, without its operator, and not from here. */
  | { state: 'pieces'; titles: string[] }

export async function findPart(kubectl: Kubectl, part: Part, objects: KubeObject[]): Promise<Found> {
  const operator = await findOperator(kubectl, part)
  if (operator.state !== 'absent') return operator
  const live = await liveOf(kubectl, objects)
  const others = live.filter((object) => !isMarked(object))
  if (others.length > 0) return { state: 'pieces', titles: others.map(titleOf) }
  return live.length > 0 ? { state: 'begun' } : { state: 'absent' }
}

/** By its Deployment alone. */
export async function findOperator(kubectl: Kubectl, { operator }: Part): Promise<Found> {
  const { items } = await kubectl.get<{ items: Operator[] }>(
    'deployments',
    '--all-namespaces',
    `--field-selector=metadata.name=${operator}`,
  )
  const theirs = items.find((item) => !isMarked(item))
  if (theirs !== undefined) {
    return { state: 'theirs', version: versionOf(theirs), namespace: theirs.metadata.namespace ?? '' }
  }
  return items[0] === undefined ? { state: 'absent' } : { state: 'ours', version: versionOf(items[0]) }
}

type Operator = KubeObject & { spec: { template: { spec: { containers: { image: string }[] } } } }

/** As its label says; where that says no number, as its image does. */
export function versionOf({ metadata, spec }: Operator): string {
  const label = metadata.labels?.['app.kubernetes.io/version'] ?? ''
  const [image = ''] = spec.template.spec.containers[0]?.image.split('@') ?? []
  const [, tag = 'of an unknown version'] = /:([^:/]+)$/.exec(image) ?? []
  return /^v?\d/.test(label) ? label : tag
}

/** Resolves when it serves. What stands of it already is brought up to date. */
export async function installPart(
  kubectl: Kubectl,
  part: Part,
  objects: KubeObject[],
  waiting: Waiting,
): Promise<void> {
  const foundation = objects.filter(isFoundation)
  await kubectl.given(listOf(foundation), ...APPLY)
  const definitions = definitionsIn(foundation).map(reference)
  const missing = async () => {
    const live = objectsOf(await kubectl.given(listOf(definitions), 'get', '--output=json'))
    return live.filter((one) => !isEstablished(one)).map(titleOf)
  }
  await untilNothingIsMissing({ what: part.title, withinMs: READY_WITHIN_MS, missing }, waiting)
  await kubectl.given(listOf(objects.filter((object) => !isFoundation(object))), ...APPLY)
  await untilNothingIsMissing(
    { what: part.title, withinMs: READY_WITHIN_MS, missing: () => missingOf(kubectl, part) },
    waiting,
  )
}

/** Server-side: the definitions of KEDA are larger than what the annotation of the other way holds. */
export const APPLY = ['apply', '--server-side', '--force-conflicts']

async function missingOf(kubectl: Kubectl, part: Part): Promise<string[]> {
  const unready = await unreadyIn(kubectl, part.namespace)
  return unready.length > 0 ? unready : part.lacks(kubectl)
}

/** What of them is in the cluster. */
export async function liveOf(kubectl: Kubectl, objects: KubeObject[]): Promise<KubeObject[]> {
  const list = listOf(withoutCustom(objects).map(reference))
  return objectsOf(await kubectl.given(list, 'get', '--ignore-not-found', '--output=json'))
}

function isEstablished(definition: KubeObject): boolean {
  const { status } = definition as { status?: { conditions?: { type: string; status: string }[] } }
  return status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false
}
