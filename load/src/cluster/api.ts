import { Pool } from 'undici'
import type { Access } from './kubeconfig.ts'

/** Longer than any look may take: a server that is as busy as the shop still answers within it. */
const ANSWER_MS_MAX = 5000
const CONNECTIONS_MAX = 8

/** The API server of a cluster, by its REST paths. What it refuses is an `ApiRefusal`, what does not answer throws. */
export class KubeApi {
  readonly #pool: Pool
  readonly #headers: Record<string, string>

  constructor({ server, ca, certificate, key, token }: Access) {
    const tls = { ...(ca && { ca }), ...(certificate && { cert: certificate }), ...(key && { key }) }
    this.#pool = new Pool(server, {
      connections: CONNECTIONS_MAX,
      headersTimeout: ANSWER_MS_MAX,
      bodyTimeout: ANSWER_MS_MAX,
      connect: { timeout: ANSWER_MS_MAX, ...tls },
    })
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  }

  async get<T>(path: string): Promise<T> {
    return JSON.parse(await this.text(path)) as T
  }

  text(path: string): Promise<string> {
    return this.#ask('GET', path)
  }

  /** Replaces the object at `path`; its `resourceVersion` has to be the newest. */
  async put(path: string, object: object): Promise<void> {
    await this.#ask('PUT', path, JSON.stringify(object))
  }

  close(): Promise<void> {
    return this.#pool.destroy()
  }

  async #ask(method: 'GET' | 'PUT', path: string, sent?: string): Promise<string> {
    const headers = { ...this.#headers, 'content-type': 'application/json' }
    const { statusCode, body } = await this.#pool.request({ method, path, headers, body: sent ?? null })
    const text = await body.text()
    if (statusCode >= 300)
      throw new ApiRefusal(statusCode, `${method} ${path}: ${statusCode} ${reasonIn(text)}`)
    return text
  }
}

export class ApiRefusal extends Error {
  override name = 'ApiRefusal'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

function reasonIn(text: string): string {
  try {
    return String((JSON.parse(text) as { message?: string }).message)
  } catch {
    return text.slice(0, 200)
  }
}
