import type { Kubectl } from '../kubectl.ts'
import type { KubeObject } from './objects.ts'
import { asksForDefaultStorage, type ShopObject, shopImagesIn } from './overlay.ts'
import type { Wish } from './words.ts'

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class'

/** What may keep the shop from opening, though nothing forbids to try. */
export async function cautionsFor(kubectl: Kubectl, shop: ShopObject[], wish: Wish): Promise<string[]> {
  const cautions: string[] = []
  if (asksForDefaultStorage(shop) && !(await hasDefaultClass(kubectl))) {
    cautions.push(
      'there is no default StorageClass: whoever needs a volume will wait for one (kubectl get storageclass)',
    )
  }
  const images = shopImagesIn(shop)
  return images.length === 0 ? cautions : [...cautions, imageWords(images, wish)]
}

async function hasDefaultClass(kubectl: Kubectl): Promise<boolean> {
  const { items } = await kubectl.get<{ items: KubeObject[] }>('storageclasses')
  return items.some(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === 'true')
}

/** No registry has them, and no node can be asked for all that it has. */
export function imageWords(images: string[], { context, overlay }: Wish): string {
  if (overlay === 'local') {
    return 'its images are those that pnpm cluster up makes on this machine: no other node has them'
  }
  const version = images[0]?.split(':').at(-1) ?? ''
  const services = images.map((image) => /([^/]+):[^:]*$/.exec(image)?.[1]).join(' ')
  const kind = /^kind-(.+)$/.exec(context)?.[1]
  const name = `${kind === undefined ? 'REGISTRY' : 'tideshop'}/$service:${version}`
  const give = kind === undefined ? `docker push ${name}` : `kind load docker-image ${name} --name ${kind}`
  return [
    'the images of the shop are in no public registry. Where they are not at hand yet:',
    `  for service in ${services}; do`,
    `    docker build --build-arg SERVICE=$service --tag ${name} . && ${give}`,
    '  done',
    ...(kind === undefined ? ['and then --images REGISTRY (registry.example.com/tideshop)'] : []),
  ].join('\n')
}
