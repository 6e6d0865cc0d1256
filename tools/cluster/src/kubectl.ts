import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Place } from './place.ts'
import { planAt } from './plan.ts'
import { until } from './until.ts'

const OUTPUT_BYTES_MAX = 64 * 1024 ** 2
const RUN_MS_MAX = 600_000

/** kubectl at one cluster. */
export class Kubectl {
  readonly #command: string
  readonly #first: string[]

  /** The program, and what comes before the words of each call. */
  constructor(command: string, ...first: string[]) {
    this.#command = command
    this.#first = first
  }

  /** The whole command line, for who wants the process. */
  command(...args: string[]): [command: string, args: string[]] {
    return [this.#command, [...this.#first, ...args]]
  }

  /** In this terminal, so that `edit` and `exec -it` work; resolves with its exit code. */
  async inTerminal(...args: string[]): Promise<number> {
    const [command, all] = this.command(...args)
    const child = spawn(command, all, { stdio: 'inherit' })
    const [code] = await once(child, 'exit')
    return code ?? 1
  }

  /** What it writes. A failed one throws with its own words. */
  run(...args: string[]): Promise<string> {
    return this.#ask(args, '')
  }

  /** What kubectl has no word for. `path` is that of the API server. */
  async post(path: string, body: object): Promise<void> {
    await this.given(body, 'create', '--raw', path)
  }

  /** With an object, or a list of them, as the file that it works on. */
  given(input: object, ...args: string[]): Promise<string> {
    return this.#ask([...args, '--filename', '-'], JSON.stringify(input))
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

  async #ask(args: string[], input: string): Promise<string> {
    const limits = { maxBuffer: OUTPUT_BYTES_MAX, timeout: RUN_MS_MAX }
    const asked = promisify(execFile)(...this.command(...args), limits)
    // It may end before it has read all: then its own words say why.
    asked.child.stdin?.on('error', () => {})
    // Ended also when there is nothing to say: it would wait for ever for the name of a user that the kubeconfig lacks.
    asked.child.stdin?.end(input)
    const { stdout } = await asked
    return stdout
  }
}

/** At the cluster that was started here; throws when there is none. */
export function kubectlAt(place: Place): Kubectl {
  if (!existsSync(place.plan)) throw new Error('there is no cluster: pnpm cluster up starts one')
  return ownKubectl(planAt(place).binaries.kubelite, place)
}

/** Of the cluster's own release. */
export function ownKubectl(kubelite: string, { kubeconfig }: Place): Kubectl {
  return new Kubectl(kubelite, 'kubectl', '--kubeconfig', kubeconfig)
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

/** Whether all its pods are there, of its last version. */
export function isReady({ metadata, spec, status }: Workload): boolean {
  const { observedGeneration = 0, updatedReplicas = 0, readyReplicas = 0 } = status
  if (observedGeneration < metadata.generation) return false
  return updatedReplicas === spec.replicas && readyReplicas === spec.replicas
}
