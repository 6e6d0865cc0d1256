import { type Report, Steps } from '@tideshop/run/steps'
import type { Kubectl } from '../kubectl.ts'
import { NAMESPACE } from '../place.ts'
import { isMarked } from './objects.ts'
import { shopNamespace } from './overlay.ts'
import { findOperator, partsOf } from './platform.ts'
import { reach } from './reach.ts'
import { releasedManifests } from './released.ts'
import { oursOf, removeObjects, usersOf } from './removal.ts'
import { someOf, type Waiting } from './waiting.ts'

const SHOP = 'the shop'

/** As `report` names them. In this order: KEDA has to release the shop's scalers before it goes. */
export const downSteps = ['cluster', SHOP, 'KEDA', 'Dapr']

type Doing = { env: NodeJS.ProcessEnv; report: Report; signal: AbortSignal }

/** Takes away what `up` brought. Returns a sentence for each thing that stays. */
export async function takeAway(context: string, { env, report, signal }: Doing): Promise<string[]> {
  const steps = new Steps(report, signal)
  const note = (step: string) => (line: string) => steps.note(step, line)
  const { kubectl, released } = await steps.take('cluster', async () => {
    const making = { env, signal, report: note('cluster') }
    const { kubectl } = await reach(context, making)
    return { kubectl, released: await releasedManifests(making) }
  })
  const stays: string[] = []
  const waiting = (step: string): Waiting => ({ signal, note: note(step) })
  stays.push(...(await steps.take(SHOP, () => removeShop(kubectl, waiting(SHOP)))))
  for (const [part, objects] of partsOf(released).toReversed()) {
    const { title } = part
    const left = await steps.take(title, async () => {
      const ours = await oursOf(kubectl, objects)
      const operator = await findOperator(kubectl, part)
      if (operator.state === 'theirs') return `${title} stays: it did not come from here`
      const users = await usersOf(kubectl, part, ours)
      if (users.length > 0) return `${title} stays, since others use it: ${someOf(users)}`
      await removeObjects(kubectl, title, ours, waiting(title))
      return null
    })
    if (left !== null) stays.push(left)
  }
  return stays
}

/** With its namespace, which holds all that an overlay has. */
async function removeShop(kubectl: Kubectl, waiting: Waiting): Promise<string[]> {
  const space = await shopNamespace(kubectl)
  if (space === null) return []
  if (!isMarked(space)) return [`the namespace ${NAMESPACE} stays: it did not come from here`]
  await removeObjects(kubectl, SHOP, [space], waiting)
  return (await keptVolumes(kubectl)).map(
    (name) => `the volume ${name} stays, as its storage class wants: it has data of the shop`,
  )
}

async function keptVolumes(kubectl: Kubectl): Promise<string[]> {
  type Spec = { persistentVolumeReclaimPolicy: string; claimRef?: { namespace: string } }
  type Volume = { metadata: { name: string }; spec: Spec }
  const { items } = await kubectl.get<{ items: Volume[] }>('persistentvolumes')
  return items
    .filter(({ spec }) => spec.persistentVolumeReclaimPolicy === 'Retain')
    .filter(({ spec }) => spec.claimRef?.namespace === NAMESPACE)
    .map(({ metadata }) => metadata.name)
}
