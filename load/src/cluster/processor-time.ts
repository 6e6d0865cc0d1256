import type { KubeApi } from './api.ts'

/**
 * Processor time of the pods of a namespace, sidecars included, as the kubelets know it (`/metrics/resource`). A pod is
 * known from its first look to its last, so what it used after that is missing: at most `LOOK_EVERY_MS` for each pod
 * that went.
 */
export const LOOK_EVERY_MS = 2000

type Nodes = { items: { metadata: { name: string } }[] }

export class ProcessorTime {
  readonly #api: KubeApi
  readonly #namespace: string
  #books = new Map<string, { before: number; now: number }>()
  #hasBegun = false
  #broken: string | null = null

  constructor(api: KubeApi, namespace: string) {
    this.#api = api
    this.#namespace = namespace
  }

  /** What was used before the first look does not count. */
  async look(): Promise<void> {
    try {
      const { items } = await this.#api.get<Nodes>('/api/v1/nodes')
      const texts = await Promise.all(
        items.map(({ metadata }) => this.#api.text(`/api/v1/nodes/${metadata.name}/proxy/metrics/resource`)),
      )
      for (const text of texts) {
        for (const [pod, now] of podSeconds(text, this.#namespace)) this.#write(pod, now)
      }
      this.#hasBegun = true
    } catch (error) {
      this.#broken = (error as Error).message
    }
  }

  /** What was used until the last look does not count. */
  restart(): void {
    for (const book of this.#books.values()) book.before = book.now
  }

  /** Seconds per service; null when no kubelet told any. */
  perService(): Record<string, number> | null {
    if (this.#books.size === 0) return null
    const seconds: Record<string, number> = {}
    for (const [pod, { before, now }] of this.#books) {
      const service = serviceOf(pod)
      seconds[service] = (seconds[service] ?? 0) + now - before
    }
    return seconds
  }

  /** Why a look failed last, or null. */
  get broken(): string | null {
    return this.#broken
  }

  #write(pod: string, now: number): void {
    const book = this.#books.get(pod)
    if (book) book.now = Math.max(book.now, now)
    else this.#books.set(pod, { before: this.#hasBegun ? 0 : now, now })
  }
}

/** `pod_cpu_usage_seconds_total` of each pod of the namespace, from the text of a kubelet. */
export function podSeconds(text: string, namespace: string): Map<string, number> {
  const seconds = new Map<string, number>()
  for (const [, labels = '', value = ''] of text.matchAll(/^pod_cpu_usage_seconds_total\{(.*)\} (\S+)/gm)) {
    const pod = /pod="([^"]+)"/.exec(labels)?.[1]
    if (pod !== undefined && labels.includes(`namespace="${namespace}"`)) seconds.set(pod, Number(value))
  }
  return seconds
}

/** `users` of `users-5d9c7b8f6-x2x4z`: a pod of a Deployment has two more parts in its name. */
export function serviceOf(pod: string): string {
  return pod.split('-').slice(0, -2).join('-')
}
