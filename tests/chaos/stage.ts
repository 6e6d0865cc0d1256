import { type Fault, lasts, nameOf, type Target } from './fault.ts'

/** What a shop consists of, as far as it can be hit. */
export type Shape = {
  appIds: readonly string[]
  /** Those whose replicas come and go. */
  scaled: readonly string[]
  /** Those whose replicas are replaced; not the front door, whose address is the first replica's. */
  replaced: readonly string[]
  /** What of it runs here; a broker or a database elsewhere is left alone. */
  backbone: readonly ('kafka' | 'mongodb')[]
  topics: readonly { name: string; listener: string }[]
}

/**
 * Who is there while a schedule is written, and who is still under a fault that lasts. The clock counts the pauses
 * only, so it is never ahead of the run's own: who is free here is free there, but for the time that a start takes.
 */
export class Stage {
  readonly #shape: Shape
  readonly #replicas: Map<string, number>
  readonly #heldUntil = new Map<string, number>()
  #nowMs = 0

  constructor(shape: Shape) {
    this.#shape = shape
    this.#replicas = new Map(shape.appIds.map((appId) => [appId, 1]))
  }

  /** How many are under a fault that lasts. */
  get held(): number {
    return [...this.#heldUntil.values()].filter((until) => until > this.#nowMs).length
  }

  replicas(appId: string): number {
    return this.#replicas.get(appId) ?? 0
  }

  /** Nobody is hit twice at a time. */
  free(): Target[] {
    const backbone = this.#shape.backbone.map((part): Target => ({ part }))
    return [...backbone, ...this.#shape.appIds.flatMap((appId) => this.#targetsOf(appId))].filter(
      (target) => !this.#isHeld(target),
    )
  }

  /** Of these services those without a replica that is held. */
  freeServices(of: readonly string[]): string[] {
    return of.filter((appId) => !this.#targetsOf(appId).some((target) => this.#isHeld(target)))
  }

  play(fault: Fault, afterMs: number): void {
    this.#nowMs += afterMs
    if (lasts(fault)) this.#heldUntil.set(nameOf(fault.target), this.#nowMs + fault.forMs)
    if (fault.kind === 'scale-out') this.#replicas.set(fault.appId, this.replicas(fault.appId) + 1)
    if (fault.kind === 'scale-in') this.#replicas.set(fault.appId, this.replicas(fault.appId) - 1)
  }

  #targetsOf(appId: string): Target[] {
    return Array.from({ length: this.replicas(appId) }, (_, replica) => replica).flatMap((replica) => [
      { part: 'app' as const, appId, replica },
      { part: 'sidecar' as const, appId, replica },
    ])
  }

  #isHeld(target: Target): boolean {
    return (this.#heldUntil.get(nameOf(target)) ?? 0) > this.#nowMs
  }
}
