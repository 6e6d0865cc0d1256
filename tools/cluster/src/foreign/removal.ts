import type { Kubectl } from '../kubectl.ts'
import {
  definitionsIn,
  isMarked,
  type KubeObject,
  listOf,
  objectsOf,
  reference,
  removalWaves,
  titleOf,
} from './objects.ts'
import { liveOf, type Part } from './platform.ts'
import { untilNothingIsMissing, type Waiting } from './waiting.ts'

/*
 * By name, from the manifests that it was installed from, and only where the live object is marked as well: nothing else in
 * that cluster can be hit.
 */

/** Three minutes were seen, on two cores, for a shop whose pods had not all started. */
const GONE_WITHIN_MS = 600_000

/** Who else has objects of its kinds, by name. They would go with it. */
export async function usersOf(kubectl: Kubectl, { namespace }: Part, ours: KubeObject[]): Promise<string[]> {
  const kinds = definitionsIn(ours).map(({ metadata }) => metadata.name)
  if (kinds.length === 0) return []
  const found = await kubectl.run(
    'get',
    kinds.join(','),
    '--all-namespaces',
    '--ignore-not-found',
    '--output=json',
  )
  return objectsOf(found)
    .filter(({ metadata }) => metadata.namespace !== namespace)
    .map(titleOf)
}

/** What of it is in the cluster and came from here. */
export async function oursOf(kubectl: Kubectl, objects: KubeObject[]): Promise<KubeObject[]> {
  return (await liveOf(kubectl, objects)).filter(isMarked)
}

/** Resolves when all of them are gone. */
export async function removeObjects(
  kubectl: Kubectl,
  what: string,
  ours: KubeObject[],
  waiting: Waiting,
): Promise<void> {
  for (const wave of removalWaves(ours)) {
    if (wave.length === 0) continue
    const list = listOf(wave.map(reference))
    await kubectl.given(list, 'delete', '--wait=false', '--ignore-not-found')
    const missing = async () => (await liveOf(kubectl, wave)).map(endOf)
    await untilNothingIsMissing({ what, withinMs: GONE_WITHIN_MS, missing }, waiting)
  }
}

/** What is awaited, with what Kubernetes says holds it up. */
function endOf(object: KubeObject): string {
  type Condition = { type: string; status: string; message?: string }
  const { status } = object as { status?: { conditions?: Condition[] } }
  const held = status?.conditions?.find(
    ({ type, status }) => type === 'NamespaceFinalizersRemaining' && status === 'True',
  )
  return `the end of ${titleOf(object)}${held === undefined ? '' : ` (${held.message})`}`
}
