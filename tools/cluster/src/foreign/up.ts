import { type Report, Steps } from '@tideshop/run/steps'
import type { Kubectl } from '../kubectl.ts'
import { NAMESPACE } from '../place.ts'
import { cautionsFor } from './cautions.ts'
import { isMarked, type KubeObject, listOf } from './objects.ts'
import { awakeIn, OVERLAY_LABEL, readOverlay, type ShopObject, shopNamespace, withImages } from './overlay.ts'
import { APPLY, dapr, type Found, findPart, installPart, keda, type Part, partsOf } from './platform.ts'
import { reach } from './reach.ts'
import { releasedManifests } from './released.ts'
import { untilNothingIsMissing, type Waiting } from './waiting.ts'
import { foundWords, piecesWords, type Standing, type Wish } from './words.ts'
import { unreadyIn } from './workloads.ts'

/*
 * The shop into a cluster of somebody's. First all that is needed is looked for, and nothing changed; then what is missing is
 * brought, piece by piece, so that at each moment it can be said what stands.
 */

const OPEN_WITHIN_MS = 900_000
const SHOP = 'the shop'

export type Doing = { env: NodeJS.ProcessEnv; report: Report; signal: AbortSignal }

export type UpPlan = {
  kubectl: Kubectl
  parts: { part: Part; objects: KubeObject[]; found: Found }[]
  shop: ShopObject[]
  /** What is there, what will be brought, and what may go wrong: a sentence each. */
  words: string[]
}

/** As `report` names them. */
export const lookSteps = ['cluster', 'manifests', 'what is there']
export const installSteps = [dapr.title, keda.title, SHOP]

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
  const space = await shopNamespace(kubectl)
  if (space === null) return
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
