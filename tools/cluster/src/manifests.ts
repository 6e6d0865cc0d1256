import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { fetchModule } from '@tideshop/runtime/build-daprd'
import { cacheName, cacheRoot, keep } from '@tideshop/runtime/cache'
import { DAPR } from '@tideshop/runtime/recipes'
import { stringify } from 'yaml'
import { type Binaries, GO_DAPR, GO_KUBERNETES, KEDA, KWOK, METRICS_SERVER } from './binaries.ts'
import type { Making } from './images.ts'

const OUTPUT_BYTES_MAX = 64 * 1024 ** 2

export const COREDNS_MANIFEST = fileOf('coredns.yaml')
export const DAPR_VALUES = fileOf('dapr-values.yaml')
const DAPR_OWN_IMAGE = fileOf('dapr-own-image.yaml')
const KEDA_KUSTOMIZATION = fileOf('keda/kustomization.yaml')
const METRICS_KUSTOMIZATION = fileOf('metrics-server/kustomization.yaml')

/** Files or folders of objects, for kubectl; of KWOK for itself. */
export type Manifests = {
  daprDefinitions: string
  dapr: string
  keda: string
  metricsServer: string
  kwok: string
}

/** What KWOK needs to play nodes and pods that are ready at once. */
const KWOK_STAGES = ['node/fast', 'node/heartbeat-with-lease', 'pod/fast']
/** It exits where these are zero, which they are by themselves. */
const KWOK_PARALLEL = { nodeLeaseParallelism: 4, podPlayStageParallelism: 4, nodePlayStageParallelism: 4 }

/** They lie in the Go modules of Dapr, KEDA, metrics-server and KWOK: rendered once for each release and each setting. */
export async function renderManifests(binaries: Binaries, making: Making): Promise<Manifests> {
  const { env, report, signal } = making
  const name = await cacheName(
    'manifests',
    `${DAPR}-${KEDA}`,
    [DAPR_VALUES, DAPR_OWN_IMAGE, KEDA_KUSTOMIZATION, METRICS_KUSTOMIZATION],
    [METRICS_SERVER, KWOK, ...KWOK_STAGES, JSON.stringify(KWOK_PARALLEL)],
  )
  const folder = join(cacheRoot(env), name)
  await keep({
    folder,
    report,
    signal,
    fill: async (unfinished) => {
      report('manifests of Dapr, KEDA, metrics-server and KWOK, the first time')
      await renderDapr(unfinished, { helm: binaries.helm, values: [DAPR_VALUES, DAPR_OWN_IMAGE] }, making)
      const kustomize: CommandLine = [binaries.kubelite, 'kubectl', 'kustomize']
      for (const patched of [keda, metricsServer]) await renderPatched(patched, unfinished, kustomize, making)
      await renderKwok(unfinished, binaries.kubelite, making)
    },
  })
  const file = (name: string) => join(folder, name)
  return {
    daprDefinitions: file('dapr-crds'),
    dapr: file('dapr.yaml'),
    keda: file('keda.yaml'),
    metricsServer: file('metrics-server.yaml'),
    kwok: file('kwok.yaml'),
  }
}

type CommandLine = [command: string, ...args: string[]]

/** Writes `dapr.yaml` and the folder `dapr-crds`. */
export async function renderDapr(
  folder: string,
  { helm, values }: { helm: string; values: string[] },
  making: Making,
): Promise<void> {
  const module = await fetchModule({ ...making, module: GO_DAPR, onLine: () => {} }, 'github.com/dapr/dapr')
  const chart = join(module, 'charts/dapr')
  await cp(join(chart, 'crds'), join(folder, 'dapr-crds'), { recursive: true })
  const args = ['template', 'dapr', chart, '--namespace=dapr-system']
  for (const file of values) args.push('--values', file)
  await writeFile(join(folder, 'dapr.yaml'), await outputOf(helm, args))
}

/**
 * Manifests of a Go module, which `go`, a module of ours, asks for in a version, and our kustomization that is laid over them: it
 * stands beside the module's `folder`.
 */
export type Patched = { name: string; go: string; module: string; folder: string; kustomization: string }

export const keda: Patched = {
  name: 'keda',
  go: GO_KUBERNETES,
  module: 'github.com/kedacore/keda/v2',
  folder: 'config',
  kustomization: KEDA_KUSTOMIZATION,
}
const metricsServer: Patched = {
  name: 'metrics-server',
  go: GO_KUBERNETES,
  module: 'sigs.k8s.io/metrics-server',
  folder: 'manifests/base',
  kustomization: METRICS_KUSTOMIZATION,
}

/** Writes `<name>.yaml`. */
export async function renderPatched(
  { name, go, module, folder, kustomization }: Patched,
  into: string,
  [command, ...args]: CommandLine,
  making: Making,
): Promise<void> {
  const source = await fetchModule({ ...making, module: go, onLine: () => {} }, module)
  const draft = join(into, 'draft')
  await mkdir(join(draft, name), { recursive: true })
  await cp(join(source, folder), join(draft, basename(folder)), { recursive: true })
  await writeFile(join(draft, name, 'kustomization.yaml'), await readFile(kustomization))
  await writeFile(join(into, `${name}.yaml`), await outputOf(command, [...args, join(draft, name)]))
  await promisify(execFile)('chmod', ['-R', 'u+w', draft])
  await rm(draft, { recursive: true })
}

/** Its settings, with the stages that it plays, as it reads them from a file. */
async function renderKwok(folder: string, kubelite: string, making: Making): Promise<void> {
  const source = { ...making, module: GO_KUBERNETES, onLine: () => {} }
  const module = await fetchModule(source, 'sigs.k8s.io/kwok')
  const kind = { apiVersion: 'config.kwok.x-k8s.io/v1alpha1', kind: 'KwokConfiguration' }
  const documents = [stringify({ ...kind, options: KWOK_PARALLEL })]
  for (const stages of KWOK_STAGES) {
    documents.push(
      await outputOf(kubelite, ['kubectl', 'kustomize', join(module, 'kustomize/stage', stages)]),
    )
  }
  await writeFile(join(folder, 'kwok.yaml'), documents.join('---\n'))
}

async function outputOf(command: string, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { maxBuffer: OUTPUT_BYTES_MAX })
  return stdout
}

export function fileOf(name: string): string {
  return fileURLToPath(new URL(`../manifests/${name}`, import.meta.url))
}
