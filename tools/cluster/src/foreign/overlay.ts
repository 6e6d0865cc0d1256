import { join } from 'node:path'
import { root } from '@tideshop/run/arguments'
import type { Kubectl } from '../kubectl.ts'
import { NAMESPACE } from '../place.ts'
import { type KubeObject, marked, objectsIn, objectsOf } from './objects.ts'

export const OVERLAYS = ['kind', 'production', 'local'] as const
export type Overlay = (typeof OVERLAYS)[number]

/** On the namespace of the shop: which overlay it is of. */
export const OVERLAY_LABEL = 'tideshop/overlay'

/** An image that is made of this repository, as the overlays name it. */
const SHOP_IMAGE = /^(?:localhost\/)?tideshop\/([\w-]+):([\w.-]+)$/

type Claim = { spec?: { storageClassName?: string } }
export type ShopObject = KubeObject & {
  spec?: {
    minReplicaCount?: number
    scaleTargetRef?: { name: string }
    storageClassName?: string
    volumeClaimTemplates?: Claim[]
    template?: { spec: { containers: { image: string }[] } }
  }
}

export function isOverlay(word: string): word is Overlay {
  return (OVERLAYS as readonly string[]).includes(word)
}

/** The shop as the overlay's sources have it now; its namespace knows who made it. */
export async function readOverlay(kubectl: Kubectl, overlay: Overlay): Promise<ShopObject[]> {
  const objects = objectsIn(await kubectl.run('kustomize', join(root, 'k8s/overlays', overlay)))
  return objects.map((object) =>
    object.kind === 'Namespace' ? marked(object, { [OVERLAY_LABEL]: overlay }) : object,
  )
}

/** Of the shop, as it is in the cluster; null where there is none. */
export async function shopNamespace(kubectl: Kubectl): Promise<KubeObject | null> {
  const of = ['namespace', NAMESPACE, '--ignore-not-found', '--output=json']
  return objectsOf(await kubectl.run('get', ...of))[0] ?? null
}

/** The shop's images from another registry, in the same version. */
export function withImages(objects: ShopObject[], prefix: string): ShopObject[] {
  return objects.map((object) => {
    const copy = structuredClone(object)
    for (const container of copy.spec?.template?.spec.containers ?? []) {
      container.image = container.image.replace(SHOP_IMAGE, `${prefix}/$1:$2`)
    }
    return copy
  })
}

/** Those that no registry has. */
export function shopImagesIn(objects: ShopObject[]): string[] {
  const images = objects.flatMap((object) => object.spec?.template?.spec.containers ?? [])
  return [...new Set(images.map(({ image }) => image).filter((image) => SHOP_IMAGE.test(image)))]
}

/** Deployments and StatefulSets that are there while nobody comes. */
export function awakeIn(objects: ShopObject[]): string[] {
  const asleep = objects
    .filter(({ kind, spec }) => kind === 'ScaledObject' && !spec?.minReplicaCount)
    .map(({ spec }) => spec?.scaleTargetRef?.name)
  return objects
    .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
    .map(({ metadata }) => metadata.name)
    .filter((name) => !asleep.includes(name))
}

/** Whether a volume is asked for without saying of which class. */
export function asksForDefaultStorage(objects: ShopObject[]): boolean {
  const claims = objects.flatMap((object): Claim[] =>
    object.kind === 'PersistentVolumeClaim' ? [object] : (object.spec?.volumeClaimTemplates ?? []),
  )
  return claims.some(({ spec }) => spec?.storageClassName === undefined)
}
