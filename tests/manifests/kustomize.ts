import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '@tideshop/run/arguments'

const run = promisify(execFile)
const PROBE_TIMEOUT_MS = 10_000

/** A command with its first words. */
export type Kustomize = string[]

/** What can render an overlay here: what KUSTOMIZE says ("kubectl kustomize"), or what is on the PATH; null if nothing. */
export async function findKustomize(env: NodeJS.ProcessEnv): Promise<Kustomize | null> {
  const said = env['KUSTOMIZE']
  if (said) return said.split(' ')
  for (const kustomize of [
    ['kubectl', 'kustomize'],
    ['kustomize', 'build'],
  ]) {
    const [command = '', ...args] = kustomize
    const works = await run(command, [...args, '--help'], { timeout: PROBE_TIMEOUT_MS }).catch(() => null)
    if (works) return kustomize
  }
  return null
}

export async function render([command = '', ...args]: Kustomize, overlay: string): Promise<string> {
  const { stdout } = await run(command, [...args, join(root, 'k8s/overlays', overlay)])
  return stdout
}
