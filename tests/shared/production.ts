import { join } from 'node:path'
import { root } from '@tideshop/run/arguments'
import { objectsIn } from '../manifests/manifests.ts'

export const PRODUCTION = join(root, 'k8s/overlays/production')

export type Env = { name: string; value: string }[]
export type Port = { name: string; containerPort: number }
type Container = { env: Env; ports: Port[]; startupProbe: { exec: { command: [string, string, string] } } }
type Template = {
  metadata: { labels: Record<string, string> }
  spec: { containers: [Container] }
}

/** What production makes the pods of a StatefulSet from, which has a file of its name. Whoever asks knows what that one has. */
export function templateOf(name: string): Template {
  const set = objectsIn(join(PRODUCTION, `${name}.yaml`)).find(({ kind }) => kind === 'StatefulSet')
  return set.spec.template
}
