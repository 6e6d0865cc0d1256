import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildGo } from '@tideshop/runtime/build-go'
import { cacheName, cacheRoot, keep } from '@tideshop/runtime/cache'
import { Progress } from '@tideshop/runtime/progress'
import { DAPR, daprFlags, GO_PROMETHEUS, PROMETHEUS } from '@tideshop/runtime/recipes'
import { lookForTool } from '@tideshop/runtime/tools'

export const KUBERNETES = '1.36.4'
export const KEDA = '2.21.0'
export const KWOK = '0.8.0'
export const METRICS_SERVER = '0.9.0'
/** KEDA's add-on that counts HTTP requests in flight. */
export const HTTP_ADD_ON = '0.15.0'
/** Enforces NetworkPolicies. Newer ones are not to be had as a Go module. */
export const KUBE_ROUTER = '2.1.0'
const COREDNS = '1.14.2'
/** Of the 3rd generation the last that takes the Kubernetes libraries of the release above. */
const HELM = '3.21.0'

const [major, minor] = KUBERNETES.split('.')
const component = 'k8s.io/component-base/version'
const STRIPPED = '-ldflags=-s -w'

export const GO_KUBERNETES = folderOf('kubernetes')
export const GO_DAPR = folderOf('dapr')
export const GO_KUBE_ROUTER = folderOf('kube-router')

type Binary = { version: string; module: string; sources: string[]; target: string; flags: string[] }

const dapr = (command: string): Binary => ({
  version: DAPR,
  module: GO_DAPR,
  sources: [],
  target: `github.com/dapr/dapr/cmd/${command}`,
  flags: daprFlags(DAPR),
})
const keda = (command: string): Binary => ({
  version: KEDA,
  module: GO_KUBERNETES,
  sources: [],
  target: `github.com/kedacore/keda/v2/cmd/${command}`,
  flags: [STRIPPED],
})
const httpAddOn = (part: string): Binary => ({
  version: HTTP_ADD_ON,
  module: GO_KUBERNETES,
  sources: [],
  target: `github.com/kedacore/http-add-on/${part}`,
  flags: [STRIPPED],
})

/** In the order of building: what shares packages stands together. The first is the longest, some five minutes. */
const BINARIES = {
  kubelite: {
    version: KUBERNETES,
    module: GO_KUBERNETES,
    sources: ['main.go'],
    target: '.',
    flags: [
      // Without these the API server says v0.0.0, and a client refuses it.
      `${STRIPPED} -X ${component}.gitVersion=v${KUBERNETES} -X ${component}.gitMajor=${major} -X ${component}.gitMinor=${minor}`,
    ],
  },
  keda: keda('operator'),
  'keda-adapter': keda('adapter'),
  /** Plays nodes and pods that cost nothing: for the control plane's own limits. */
  kwok: {
    version: KWOK,
    module: GO_KUBERNETES,
    sources: [],
    target: 'sigs.k8s.io/kwok/cmd/kwok',
    flags: [STRIPPED],
  },
  /** What a CPU trigger reads. */
  'metrics-server': {
    version: METRICS_SERVER,
    module: GO_KUBERNETES,
    sources: [],
    target: 'sigs.k8s.io/metrics-server/cmd/metrics-server',
    flags: [STRIPPED],
  },
  helm: {
    version: HELM,
    module: GO_KUBERNETES,
    sources: [],
    target: 'helm.sh/helm/v3/cmd/helm',
    flags: [STRIPPED],
  },
  coredns: {
    version: COREDNS,
    module: folderOf('coredns'),
    sources: ['main.go'],
    target: '.',
    flags: [STRIPPED],
  },
  operator: dapr('operator'),
  injector: dapr('injector'),
  sentry: dapr('sentry'),
  placement: dapr('placement'),
  prometheus: {
    version: PROMETHEUS,
    module: GO_PROMETHEUS,
    sources: [],
    target: 'github.com/prometheus/prometheus/cmd/prometheus',
    flags: ['-tags=remove_all_sd,enable_kubernetes_sd,netgo,slicelabels', STRIPPED],
  },
  pause: { version: '1', module: folderOf('pause'), sources: ['main.go'], target: '.', flags: [STRIPPED] },
} satisfies Record<string, Binary>

/** What no start needs: built when it is added. */
const ADDED = {
  'http-interceptor': httpAddOn('interceptor'),
  'http-scaler': httpAddOn('scaler'),
  'http-operator': httpAddOn('operator'),
  'kube-router': {
    version: KUBE_ROUTER,
    module: GO_KUBE_ROUTER,
    sources: [],
    target: 'github.com/cloudnativelabs/kube-router/v2/cmd/kube-router',
    flags: [STRIPPED],
  },
} satisfies Record<string, Binary>

export type BinaryName = keyof typeof BINARIES
export type Binaries = Record<BinaryName, string>
type AddedName = keyof typeof ADDED

type Options = { env: NodeJS.ProcessEnv; report: (line: string) => void; signal: AbortSignal }

/** The path of each binary, built where it is not in the cache. One at a time: each takes all cores by itself. */
export async function buildBinaries(options: Options): Promise<Binaries> {
  const paths: Partial<Binaries> = {}
  for (const name of Object.keys(BINARIES) as BinaryName[]) paths[name] = await buildBinary(name, options)
  return paths as Binaries
}

/** The path of one of them, or of one that is added. */
export async function buildBinary(
  name: BinaryName | AddedName,
  { env, report, signal }: Options,
): Promise<string> {
  const { version, module, target, flags } = recipeOf(name)
  const folder = await folderInCache(name, env)
  const output = join(folder, name)
  const say = (line: string) => report(`${name} ${version}: ${line}`)
  await keep({
    folder,
    report: say,
    signal,
    fill: async (unfinished) => {
      const go = await lookForTool('go', env)
      if ('lack' in go) throw new Error(`${name} cannot be built: ${go.lack}`)
      using progress = new Progress('built from its Go module, the first time only', say)
      const onLine = (line: string) => progress.heard(line)
      await buildGo({ module, target, flags, output: join(unfinished, name), env, onLine, signal })
    },
  })
  return output
}

/** Those, of all there are, that somebody who asks for them has to wait for: they are not in the cache. */
export async function unbuilt(env: NodeJS.ProcessEnv): Promise<string[]> {
  const names = Object.keys({ ...BINARIES, ...ADDED }) as (BinaryName | AddedName)[]
  const folders = await Promise.all(names.map((name) => folderInCache(name, env)))
  return names.filter((_, index) => !existsSync(folders[index] ?? ''))
}

async function folderInCache(name: BinaryName | AddedName, env: NodeJS.ProcessEnv): Promise<string> {
  const { version, module, sources, target, flags } = recipeOf(name)
  const files = ['go.mod', 'go.sum', ...sources].map((file) => join(module, file))
  return join(cacheRoot(env), await cacheName(name, version, files, [target, ...flags]))
}

function recipeOf(name: BinaryName | AddedName): Binary {
  return { ...BINARIES, ...ADDED }[name]
}

function folderOf(name: string): string {
  return fileURLToPath(new URL(`../go/${name}/`, import.meta.url))
}
