const SAY_EVERY_MS = 2_000

/** Turns what a build writes into a line for people every 2 s: what is done, how far it is, for how long. */
export class Progress implements Disposable {
  readonly #what: string
  readonly #report: (line: string) => void
  readonly #startedAt = Date.now()
  readonly #timer: NodeJS.Timeout
  #fetched = 0
  #compiled = 0

  constructor(what: string, report: (line: string) => void) {
    this.#what = what
    this.#report = report
    this.#timer = setInterval(() => this.#say(), SAY_EVERY_MS)
    this.#say()
  }

  /** Go writes the path of each package that it compiled; Go and Maven tell what they fetch. */
  heard(line: string): void {
    if (/downloaded from|^go: downloading/i.test(line)) this.#fetched += 1
    else if (/^[\w.-]+(\/[\w.~-]+)*$/.test(line)) this.#compiled += 1
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #say(): void {
    const parts = [
      this.#fetched > 0 ? `${this.#fetched} files fetched` : null,
      this.#compiled > 0 ? `${this.#compiled} packages compiled` : null,
      elapsed(Date.now() - this.#startedAt),
    ]
    this.#report(`${this.#what}… ${parts.filter((part) => part !== null).join(', ')}`)
  }
}

export function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
