import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import { type Client, createClient } from '@connectrpc/connect'
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'
import { Apigateway } from '@tideshop/contracts/gen/apigateway_pb'
import type { Log } from '@tideshop/kit/telemetry'
import { bySign, type Sign } from './demand.ts'

/**
 * The other doors. KEDA listens to one door (scaler.ts), so whatever one sees is told to all. A door that does not hear of it now hears
 * of it with the next sign, two seconds later, and KEDA by its other triggers.
 */

/** Milliseconds that another door has to answer. */
const TELL_WITHIN_MS = 500

type Door = { client: Client<typeof Apigateway>; session: Http2SessionManager }

/** The base URLs of all doors but this one. Rejects when their name cannot be resolved. */
export type Whereabouts = () => Promise<string[]>

export class OtherDoors {
  readonly #where: Whereabouts
  readonly #log: Log
  readonly #doors = new Map<string, Door>()

  constructor(where: Whereabouts, log: Log) {
    this.#where = where
    this.#log = log
  }

  /** Resolves when each has heard of it, or one did not answer, which is logged. Never rejects. */
  async tell(sign: Sign): Promise<void> {
    try {
      const urls = await this.#where()
      this.#forgetAllBut(urls)
      await Promise.all(urls.map((url) => this.#at(url).client.tell(bySign(sign))))
    } catch (error) {
      this.#log.debug({ err: error, sign }, 'another door did not hear of it')
    }
  }

  close(): void {
    this.#forgetAllBut([])
  }

  #at(url: string): Door {
    const known = this.#doors.get(url)
    if (known !== undefined) return known
    const session = new Http2SessionManager(url)
    const transport = createGrpcTransport({
      baseUrl: url,
      sessionManager: session,
      defaultTimeoutMs: TELL_WITHIN_MS,
    })
    const door = { client: createClient(Apigateway, transport), session }
    this.#doors.set(url, door)
    return door
  }

  #forgetAllBut(urls: readonly string[]): void {
    for (const [url, { session }] of this.#doors) {
      if (urls.includes(url)) continue
      session.abort()
      this.#doors.delete(url)
    }
  }
}

/** By a name that has the address of each door: that of a headless Service. Asked anew each time, since doors come and go. */
export function doorsNamed(host: string, port: number): Whereabouts {
  return async () => {
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
    const all = await lookup(host, { all: true })
    return all
      .filter(({ address }) => !own.some((one) => one.address === address))
      .map(({ address, family }) => `http://${family === 6 ? `[${address}]` : address}:${port}`)
  }
}
