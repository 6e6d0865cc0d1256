import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { root } from '@tideshop/run/arguments'
import { parse, parseAllDocuments } from 'yaml'

export const OVERLAYS = ['local', 'kind', 'production']
const RENDERED = 'k8s/rendered'
/** All that an overlay is made of. */
const SOURCES = ['k8s', 'keda', 'components', 'dapr']

/** For development, and without a sidecar (docs/decisions/0016): in no overlay that others see. */
export const ISSUER = 'issuer'

/** The folders: a service is known by its folder's name everywhere. */
export const services = readdirSync(join(root, 'services')).filter((folder) => folder !== ISSUER)

/** What works by the clock needs its sidecar's: always one, and no scaler. */
export const ALWAYS_ONE = ['jobs']

export function renderedFile(overlay: string): string {
  return join(root, RENDERED, `${overlay}.yaml`)
}

/** The objects of an overlay as they would be applied. */
export function objectsOf(overlay: string) {
  return objectsIn(renderedFile(overlay))
}

export function objectsIn(file: string) {
  return parseAllDocuments(readFileSync(file, 'utf8')).map((document) => {
    const [error] = document.errors
    if (error) throw error
    return document.toJS()
  })
}

export function yaml(file: string) {
  return parse(readFileSync(join(root, file), 'utf8'))
}

/**
 * Stands in each rendered file. So a machine without kustomize can tell as well whether a source was changed and not
 * rendered again.
 */
export function fingerprint(): string {
  const hash = createHash('sha256')
  for (const file of SOURCES.flatMap(filesIn).toSorted()) {
    hash.update(`${file}\n`).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex').slice(0, 16)
}

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && isSource(entry.parentPath))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
}

/** Beside the overlays, to be applied by hand. */
const BY_HAND = ['as-published', 'knative']

function isSource(folder: string): boolean {
  return folder !== join(root, RENDERED) && !BY_HAND.includes(basename(folder))
}
