import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { root } from '@tideshop/run/arguments'
import { parse } from 'yaml'
import { CannotRun } from '../arguments.ts'
import { ApiRefusal, type KubeApi } from '../cluster/api.ts'
import type { ClusterWatch } from '../cluster/watch.ts'
import type { Sources, Spec, Trigger } from './variants.ts'

/** The ScaledObject of one Deployment: what the files say of it, and what the cluster has. */

const KEDA = join(root, 'keda')
/** KEDA writes into the object, too, so the version that we replace may be old by then. */
const TRIES_MAX = 10
const TRY_AGAIN_MS = 200

type Versioned = { metadata: object; spec: Spec }

/** From `keda/`. */
export function readSources(service: string): Sources {
  const ours = specIn(join(KEDA, `${service}.yaml`))
  if (ours === null) throw new CannotRun(`there is no keda/${service}.yaml`)
  return {
    ours,
    published: specIn(join(KEDA, 'as-published', `${service}.yaml`)),
    requestRate: triggerOf('apigateway', 'prometheus'),
    lag: ours.triggers.find(({ type }) => type === 'kafka') ?? triggerOf('users', 'kafka'),
  }
}

function specIn(file: string): Spec | null {
  return existsSync(file) ? (parse(readFileSync(file, 'utf8')) as { spec: Spec }).spec : null
}

function triggerOf(service: string, kind: string): Trigger {
  const trigger = specIn(join(KEDA, `${service}.yaml`))?.triggers.find(({ type }) => type === kind)
  if (trigger === undefined) throw new CannotRun(`keda/${service}.yaml has no trigger of type ${kind}`)
  return trigger
}

/** Whether the cluster measures processor time of pods, for autoscalers. */
export async function hasProcessorMetrics(api: KubeApi): Promise<boolean> {
  return api.text('/apis/metrics.k8s.io/v1beta1').then(
    () => true,
    () => false,
  )
}

export async function readSpec(cluster: ClusterWatch, service: string): Promise<Spec> {
  return (await cluster.api.get<Versioned>(pathOf(cluster, service))).spec
}

/** Replaces all of it but its name: KEDA then changes the autoscaler in place. */
export async function replaceSpec(cluster: ClusterWatch, service: string, spec: Spec): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      const now = await cluster.api.get<Versioned>(pathOf(cluster, service))
      return await cluster.api.put(pathOf(cluster, service), { ...now, spec })
    } catch (error) {
      const isOld = error instanceof ApiRefusal && error.status === 409
      if (!isOld || tries >= TRIES_MAX) throw error
      await delay(TRY_AGAIN_MS)
    }
  }
}

function pathOf({ namespace }: ClusterWatch, service: string): string {
  return `/apis/keda.sh/v1alpha1/namespaces/${namespace}/scaledobjects/${service}`
}
