import { join } from 'node:path'
import type { Report } from '@tideshop/run/steps'
import { Steps } from '@tideshop/run/steps'
import { cacheName, cacheRoot, keep } from '@tideshop/runtime/cache'
import { buildBinary, GO_KUBERNETES, HTTP_ADD_ON } from './binaries.ts'
import type { Making } from './images.ts'
import { kubectlAt } from './kubectl.ts'
import { fileOf, type Patched, renderPatched } from './manifests.ts'
import { giveImages } from './node.ts'
import { type Place, READY_WITHIN_MS } from './place.ts'
import { planAt } from './plan.ts'
import { httpAddOnImage } from './platform-images.ts'
import { holderOf } from './record.ts'
import { leadingInto } from './space.ts'

/*
 * KEDA's HTTP add-on, in the cluster that runs: an interceptor that holds who calls a sleeping service and counts who waits, and a
 * scaler that tells KEDA. No start of a cluster waits for it, since the shop needs none of it.
 */

const SERVING = 'KEDA’s HTTP add-on'
/** As `report` names them. */
export const addSteps = ['binaries', 'image', SERVING]

/** Where callers ask: the interceptor's Service, in the namespace of KEDA. */
export const INTERCEPTOR = { namespace: 'keda', service: 'keda-add-ons-http-interceptor-proxy', port: 8080 }

const DEFINITION = 'interceptorroutes.http.keda.sh'

const httpAddOn: Patched = {
  name: 'http-add-on',
  go: GO_KUBERNETES,
  module: 'github.com/kedacore/http-add-on',
  folder: 'config',
  kustomization: fileOf('http-add-on/kustomization.yaml'),
}

type Adding = { env: NodeJS.ProcessEnv; report: Report; signal: AbortSignal }

/** Builds it the first time, brings it, and resolves when it serves. What stands of it already is brought up to date. */
export async function addHttpAddOn(place: Place, { env, report, signal }: Adding): Promise<void> {
  const holder = holderOf(place)
  const kubectl = kubectlAt(place)
  const steps = new Steps(report, signal)
  const making = (step: string): Making => ({ env, signal, report: (line) => steps.note(step, line) })
  const files = await steps.take('binaries', async () => {
    const interceptor = await buildBinary('http-interceptor', making('binaries'))
    const scaler = await buildBinary('http-scaler', making('binaries'))
    const operator = await buildBinary('http-operator', making('binaries'))
    return [interceptor, scaler, operator]
  })
  await steps.take('image', async () => {
    await giveImages([await httpAddOnImage(files, making('image'))], leadingInto(holder.pid))
  })
  await steps.take(SERVING, async () => {
    const manifest = await manifestOf(place, making(SERVING))
    await kubectl.apply('--filename', manifest)
    await kubectl.untilReady(INTERCEPTOR.namespace, READY_WITHIN_MS)
  })
}

export async function hasHttpAddOn(place: Place): Promise<boolean> {
  const found = await kubectlAt(place).run('get', 'crd', DEFINITION, '--ignore-not-found', '--output=name')
  return found !== ''
}

/** Takes all of it away, and with it every route. What is scaled by it has to be scaled by something else before. */
export async function removeHttpAddOn(place: Place, making: Making): Promise<void> {
  const manifest = await manifestOf(place, making)
  await kubectlAt(place).run('delete', '--ignore-not-found', '--filename', manifest)
}

/** The file of its objects, rendered once for each release and each setting. */
async function manifestOf(place: Place, making: Making): Promise<string> {
  const { env, report, signal } = making
  const name = await cacheName('manifests-http-add-on', HTTP_ADD_ON, [httpAddOn.kustomization], [])
  const folder = join(cacheRoot(env), name)
  const kustomize = [planAt(place).binaries.kubelite, 'kubectl', 'kustomize'] as const
  await keep({
    folder,
    report,
    signal,
    fill: (unfinished) => renderPatched(httpAddOn, unfinished, [...kustomize], making),
  })
  return join(folder, `${httpAddOn.name}.yaml`)
}
