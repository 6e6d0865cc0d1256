import { chmod, copyFile, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Binaries, BinaryName } from './binaries.ts'
import { type Image, type Layer, type Making, makeLayer } from './images.ts'

export const PAUSE_IMAGE = 'localhost/tideshop/pause:1'
/** One for all parts of the platform: they are single files, and each is started by its path. */
export const PLATFORM_IMAGE = 'localhost/tideshop/platform:1'
/** The same for the parts of KEDA's HTTP add-on. */
export const HTTP_ADD_ON_IMAGE = 'localhost/tideshop/http-add-on:1'

const PARTS: BinaryName[] = [
  'coredns',
  'operator',
  'injector',
  'sentry',
  'placement',
  'keda',
  'keda-adapter',
  'metrics-server',
]

/** The charts say runAsNonRoot; any number but 0 will do. */
const USER = '65532'
const plain = { env: {}, folder: '/', user: USER }

/** A layer per binary, so that a new daprd does not make the others anew. */
export async function platformImages(binaries: Binaries, daprd: string, making: Making): Promise<Image[]> {
  const files = [daprd, ...PARTS.map((name) => binaries[name])]
  const layers = await binaryLayers(files, making)
  const pause = await binaryLayers([binaries.pause], making)
  return [
    { ...plain, name: PAUSE_IMAGE, layers: pause, command: ['/pause'] },
    { ...plain, name: PLATFORM_IMAGE, layers, command: ['/daprd'] },
  ]
}

/** Of the paths of its binaries. */
export async function httpAddOnImage(files: string[], making: Making): Promise<Image> {
  const layers = await binaryLayers(files, making)
  return { ...plain, name: HTTP_ADD_ON_IMAGE, layers, command: ['/http-interceptor'] }
}

/** One after the other. */
async function binaryLayers(files: string[], making: Making): Promise<Layer[]> {
  const layers: Layer[] = []
  for (const file of files) layers.push(await binaryLayer(file, making))
  return layers
}

/** The file in the root of an otherwise empty image: it is static. Its path in the cache has its version. */
function binaryLayer(file: string, making: Making) {
  const name = basename(file)
  const fill = async (root: string) => {
    await mkdir(join(root, 'tmp'))
    await chmod(join(root, 'tmp'), 0o1777)
    await copyFile(file, join(root, name))
    await chmod(join(root, name), 0o755)
  }
  return makeLayer({ name, inputs: [file], fill }, making)
}
