import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { kubectlAt } from '@tideshop/cluster/kubectl'
import { NAMESPACE, placeOf } from '@tideshop/cluster/place'
import { expect } from 'vitest'

/** How many replicas a service was to have and had ready, from one moment on. */
export type Change = { atMs: number; service: string; wanted: number; ready: number }

/** Follows the Deployments of the shop as the API server tells of them, so that no step is missed between two looks. */
export class ReplicaWatch implements Disposable {
  readonly changes: Change[] = []
  readonly #began = performance.now()
  readonly #kubectl: ChildProcess

  constructor() {
    const fields = '{.metadata.name} {.spec.replicas} {.status.readyReplicas}{"\\n"}'
    const of = ['get', 'deployments', `--namespace=${NAMESPACE}`, '--watch', `--output=jsonpath=${fields}`]
    const [command, all] = kubectlAt(placeOf(process.env)).command(...of)
    this.#kubectl = spawn(command, all, { stdio: ['ignore', 'pipe', 'inherit'] })
    createInterface({ input: this.#kubectl.stdout as NonNullable<ChildProcess['stdout']> }).on(
      'line',
      (line) => this.#heard(line),
    )
  }

  [Symbol.dispose](): void {
    this.#kubectl.kill()
  }

  nowMs(): number {
    return performance.now() - this.#began
  }

  /** `2/1`: two wanted, one ready. */
  of(service: string): string {
    const last = this.changes.findLast((change) => change.service === service)
    return last ? `${last.wanted}/${last.ready}` : 'unknown'
  }

  ready(service: string): number {
    return this.changes.findLast((change) => change.service === service)?.ready ?? 0
  }

  /** How few it was to have, from a moment on. */
  leastWanted(service: string, fromMs: number): number {
    return Math.min(...this.#wanted(service, fromMs))
  }

  /** How many it was to have at most, from a moment on. */
  mostWanted(service: string, fromMs: number): number {
    return Math.max(...this.#wanted(service, fromMs))
  }

  /** Of all that was seen since a moment. */
  mostReady(service: string, fromMs = 0): number {
    const of = this.changes.filter((change) => change.service === service && change.atMs >= fromMs)
    return Math.max(0, ...of.map(({ ready }) => ready))
  }

  /** When so many were ready for the first time after a moment, or null. */
  firstAtMs(service: string, ready: number, afterMs: number): number | null {
    const at = this.changes.find(
      (change) => change.service === service && change.atMs >= afterMs && change.ready >= ready,
    )
    return at?.atMs ?? null
  }

  async until(service: string, state: string, withinMs: number): Promise<void> {
    await expect
      .poll(() => this.of(service), { timeout: withinMs, interval: 100, message: service })
      .toBe(state)
  }

  #wanted(service: string, fromMs: number): number[] {
    const of = this.changes.filter((change) => change.service === service)
    const atFirst = of.findLast(({ atMs }) => atMs <= fromMs)
    return [atFirst?.wanted ?? 0, ...of.filter(({ atMs }) => atMs > fromMs).map(({ wanted }) => wanted)]
  }

  #heard(line: string): void {
    const [service = '', wanted = '0', ready] = line.trim().split(' ')
    const change = { atMs: this.nowMs(), service, wanted: Number(wanted), ready: Number(ready ?? 0) }
    const last = this.changes.findLast((other) => other.service === service)
    if (last?.wanted !== change.wanted || last.ready !== change.ready) this.changes.push(change)
  }
}

/** `12.3 s` */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
