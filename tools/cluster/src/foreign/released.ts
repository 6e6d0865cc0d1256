import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheName, cacheRoot, keep } from '@tideshop/runtime/cache'
import { DAPR } from '@tideshop/runtime/recipes'
import { buildBinary, KEDA } from '../binaries.ts'
import type { Making } from '../images.ts'
import { DAPR_VALUES, fileOf, keda, renderDapr, renderPatched } from '../manifests.ts'
import { type KubeObject, objectsIn } from './objects.ts'
import { findKubectl } from './reach.ts'

const KEDA_RELEASED = fileOf('keda-released/kustomization.yaml')

export type Released = { dapr: KubeObject[]; keda: KubeObject[] }

/** Dapr's control plane and KEDA from the same Go modules as on the cluster of this machine, with the images of their releases. */
export async function releasedManifests(making: Making): Promise<Released> {
  const { env, report, signal } = making
  const name = await cacheName('manifests-released', `${DAPR}-${KEDA}`, [DAPR_VALUES, KEDA_RELEASED], [])
  const folder = join(cacheRoot(env), name)
  await keep({
    folder,
    report,
    signal,
    fill: async (unfinished) => {
      report('manifests of Dapr and KEDA, the first time')
      const [command, ...first] = await findKubectl(making)
      const helm = await buildBinary('helm', making)
      await renderDapr(unfinished, { helm, values: [DAPR_VALUES] }, making)
      const released = { ...keda, kustomization: KEDA_RELEASED }
      await renderPatched(released, unfinished, [command, ...first, 'kustomize'], making)
    },
  })
  const definitions = await readdir(join(folder, 'dapr-crds'))
  const dapr = [...definitions.map((file) => join('dapr-crds', file)), 'dapr.yaml']
  const objects = async (file: string) => objectsIn(await readFile(join(folder, file), 'utf8'))
  return { dapr: (await Promise.all(dapr.map(objects))).flat(), keda: await objects('keda.yaml') }
}
