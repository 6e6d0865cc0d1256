import { Pool } from 'undici'
import type { Access } from './kubeconfig.ts'

/** A kubelet that starts twenty pods on two cores was seen to take eight seconds. */
const ANSWER_MS_MAX = 20_000
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

  /** `path` is that of the objects of its kind. */
  async create(path: string, object: object): Promise<void> {
    await this.#ask('POST', path, JSON.stringify(object))
  }

  /** Resolves when it is asked for; whoever has to clear up after it may need a while. */
  async remove(path: string): Promise<void> {
    await this.#ask('DELETE', path)
  }

  /** False for 404 alone. */
  async has(path: string): Promise<boolean> {
    try {
      await this.text(path)
      return true
    } catch (error) {
      if (error instanceof ApiRefusal && error.status === 404) return false
      throw error
    }
  }

  close(): Promise<void> {
    return this.#pool.destroy()
  }

  async #ask(method: 'GET' | 'POST' | 'DELETE', path: string, sent?: string): Promise<string> {
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
