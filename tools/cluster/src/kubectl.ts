import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Place } from './place.ts'
import { planAt } from './plan.ts'
import { until } from './until.ts'

const OUTPUT_BYTES_MAX = 64 * 1024 ** 2

/** kubectl of the cluster's own release, at one cluster. */
export class Kubectl {
  readonly #kubelite: string
  readonly #kubeconfig: string

  constructor(kubelite: string, kubeconfig: string) {
    this.#kubelite = kubelite
    this.#kubeconfig = kubeconfig
  }

  /** The whole command line, for who wants the process. */
  command(...args: string[]): [command: string, args: string[]] {
    return [this.#kubelite, ['kubectl', '--kubeconfig', this.#kubeconfig, ...args]]
  }

  /** What it writes. A failed one throws with its own words. */
  async run(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(...this.command(...args), { maxBuffer: OUTPUT_BYTES_MAX })
    return stdout
  }

  /** What kubectl has no word for. `path` is that of the API server. */
  async post(path: string, body: object): Promise<void> {
    const asked = promisify(execFile)(...this.command('create', '--raw', path, '--filename', '-'))
    asked.child.stdin?.end(JSON.stringify(body))
    await asked
  }

  /** Server-side: the CRDs of KEDA are larger than what the annotation of the other way holds. */
  async apply(...args: string[]): Promise<void> {
    await this.run('apply', '--server-side', '--force-conflicts', ...args)
  }

  async get<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.run('get', '--output=json', ...args)) as T
  }

  async answers(path: string): Promise<boolean> {
    return this.run('get', '--raw', path).then(
      () => true,
      () => false,
    )
  }

  /** Resolves when all Deployments and StatefulSets of the namespace have all their pods. */
  async untilReady(namespace: string, withinMs: number): Promise<void> {
    let waiting: string[] = []
    const ask = async () => {
      const { items } = await this.get<{ items: Workload[] }>(
        'deployments,statefulsets',
        `--namespace=${namespace}`,
      )
      waiting = items.filter((workload) => !isReady(workload)).map(({ metadata }) => metadata.name)
      return items.length > 0 && waiting.length === 0
    }
    await until(`readiness of ${namespace}`, withinMs, ask).catch((error: Error) => {
      throw new Error(`${error.message}: it waits for ${waiting.join(', ')}`)
    })
  }
}

/** At the cluster that was started here; throws when there is none. */
export function kubectlAt(place: Place): Kubectl {
  if (!existsSync(place.plan)) throw new Error('there is no cluster: pnpm cluster up starts one')
  return new Kubectl(planAt(place).binaries.kubelite, place.kubeconfig)
}

export type Workload = {
  metadata: { name: string; generation: number }
  spec: { replicas: number }
  status: {
    observedGeneration?: number
    updatedReplicas?: number
    readyReplicas?: number
  }
}

function isReady({ metadata, spec, status }: Workload): boolean {
  const { observedGeneration = 0, updatedReplicas = 0, readyReplicas = 0 } = status
  if (observedGeneration < metadata.generation) return false
  return updatedReplicas === spec.replicas && readyReplicas === spec.replicas
}
