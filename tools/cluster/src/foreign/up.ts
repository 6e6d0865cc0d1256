import { type Report, Steps } from '@tideshop/run/steps'
import { DAPR } from '@tideshop/runtime/recipes'
import { KEDA } from '../binaries.ts'
import type { Kubectl } from '../kubectl.ts'
import { NAMESPACE } from '../place.ts'
import type { UpOptions } from './arguments.ts'
import { cautionsFor } from './cautions.ts'
import { isMarked, type KubeObject, listOf, objectsOf } from './objects.ts'
import { awakeIn, OVERLAY_LABEL, readOverlay, type ShopObject, withImages } from './overlay.ts'
import { APPLY, type Found, findPart, installPart, type Part, partsOf } from './platform.ts'
import { reach } from './reach.ts'
import { releasedManifests } from './released.ts'
import { untilNothingIsMissing, type Waiting } from './waiting.ts'
import { unreadyIn } from './workloads.ts'

/*
 * The shop into a cluster of somebody's. First all that is needed is looked for, and nothing changed; then what is missing is
 * brought, piece by piece, so that at each moment it can be said what stands.
 */

const OPEN_WITHIN_MS = 900_000
const SHOP = 'the shop'
const TESTED: Record<string, string> = { Dapr: DAPR, KEDA }

export type Wish = UpOptions & { context: string }
export type Doing = { env: NodeJS.ProcessEnv; report: Report; signal: AbortSignal }

export type UpPlan = {
  kubectl: Kubectl
  parts: { part: Part; objects: KubeObject[]; found: Found }[]
  shop: ShopObject[]
  /** What is there, what will be brought, and what may go wrong: a sentence each. */
  words: string[]
}

/** What this has brought so far, in its order. */
export type Standing = Map<string, 'begun' | 'there'>

/** As `report` names them. */
export const lookSteps = ['cluster', 'manifests', 'what is there']
export const installSteps = [...Object.keys(TESTED), SHOP]

/** Changes nothing. Throws a sentence where it could not go on. */
export async function lookAround(wish: Wish, { env, report, signal }: Doing): Promise<UpPlan> {
  const steps = new Steps(report, signal)
  const making = (step: string) => ({ env, signal, report: (line: string) => steps.note(step, line) })
  const { kubectl, kubernetes } = await steps.take('cluster', () => reach(wish.context, making('cluster')))
  const { released, shop } = await steps.take('manifests', async () => {
    const released = await releasedManifests(making('manifests'))
    const shop = await readOverlay(kubectl, wish.overlay)
    return { released, shop: wish.imagePrefix === null ? shop : withImages(shop, wish.imagePrefix) }
  })
  return steps.take('what is there', async () => {
    await demandFree(kubectl, wish)
    const parts: UpPlan['parts'] = []
    for (const [part, objects] of partsOf(released)) {
      const found = await findPart(kubectl, part, objects)
      if (found.state === 'pieces') throw new Error(piecesWords(part, found.titles))
      parts.push({ part, objects, found })
    }
    const words = [`context ${wish.context}: Kubernetes ${kubernetes}`]
    for (const { part, found } of parts) words.push(foundWords(part, found))
    return { kubectl, parts, shop, words: [...words, ...(await cautionsFor(kubectl, shop, wish))] }
  })
}

/** Throws where the shop's namespace is somebody else's, or of another overlay. */
async function demandFree(kubectl: Kubectl, { context, overlay }: Wish): Promise<void> {
  const [space] = objectsOf(
    await kubectl.run('get', 'namespace', NAMESPACE, '--ignore-not-found', '--output=json'),
  )
  if (space === undefined) return
  if (!isMarked(space)) {
    throw new Error(
      `the namespace ${NAMESPACE} is there already, and did not come from here:\n` +
        `  kubectl --context ${context} apply --kustomize k8s/overlays/${overlay}   goes on with it\n` +
        `  kubectl --context ${context} delete namespace ${NAMESPACE}                ends it, with all that is in it`,
    )
  }
  const there = space.metadata.labels?.[OVERLAY_LABEL]
  if (there !== overlay) {
    throw new Error(
      `overlay ${there} is there: pnpm cluster down --context ${context} first, or --overlay ${there}`,
    )
  }
}

export function piecesWords({ title }: Part, titles: string[]): string {
  return [
    `${title} cannot be installed: some of it, or what bears its names, is there already and did not come from here:`,
    ...titles.map((one) => `  - ${one}`),
    `Install ${title} whole by its own means and come again, or remove these if nobody needs them.`,
  ].join('\n')
}

export function foundWords({ title }: Part, found: Found): string {
  const tested = TESTED[title] ?? ''
  if (found.state === 'theirs') {
    const stays = `${title} ${found.version} is there, in ${found.namespace}, and stays as it is`
    return found.version === tested ? stays : `${stays}; the shop was tried with ${tested}`
  }
  if (found.state === 'ours')
    return `${title} ${found.version} is there, from here: made ${tested} where it is not`
  return `${title} ${tested} will be installed`
}

/** Resolves when the shop's services that do not sleep are there. `standing` is right at each moment, also when this rejects. */
export async function install(
  { kubectl, parts, shop }: UpPlan,
  standing: Standing,
  { report, signal }: Omit<Doing, 'env'>,
): Promise<void> {
  const steps = new Steps(report, signal)
  const bring = (title: string, work: (waiting: Waiting) => Promise<void>) =>
    steps.take(title, async () => {
      standing.set(title, 'begun')
      await work({ signal, note: (line) => steps.note(title, line) })
      standing.set(title, 'there')
    })
  for (const { part, objects, found } of parts) {
    if (found.state === 'theirs') continue
    await bring(part.title, (waiting) => installPart(kubectl, part, objects, waiting))
  }
  await bring(SHOP, async (waiting) => {
    await kubectl.given(listOf(shop), ...APPLY)
    const missing = () => missingOfShop(kubectl, shop)
    await untilNothingIsMissing({ what: SHOP, withinMs: OPEN_WITHIN_MS, missing }, waiting)
  })
}

async function missingOfShop(kubectl: Kubectl, shop: ShopObject[]): Promise<string[]> {
  type Job = { metadata: { name: string }; status: { succeeded?: number } }
  const jobs = await kubectl.get<{ items: Job[] }>('jobs', `--namespace=${NAMESPACE}`)
  const unended = jobs.items.filter(({ status }) => !status.succeeded).map(({ metadata }) => metadata.name)
  return [...(await unreadyIn(kubectl, NAMESPACE, awakeIn(shop))), ...unended]
}

/** For who stopped it, or met a fault: what is half done, and what to type. */
export function standingWords(standing: Standing, { context, overlay, imagePrefix }: Wish): string {
  if (standing.size === 0) return 'nothing was changed in the cluster'
  const those = (state: string) => [...standing].filter(([, is]) => is === state).map(([title]) => title)
  const options = `${overlay === 'kind' ? '' : ` --overlay ${overlay}`}${imagePrefix === null ? '' : ` --images ${imagePrefix}`}`
  return [
    ...those('there').map((title) => `${title} is there`),
    ...those('begun').map((title) => `${title} was begun, and may go on by itself`),
    `  pnpm cluster up --context ${context}${options}   goes on`,
    `  pnpm cluster down --context ${context}   takes all of it away`,
  ].join('\n')
}
