/** A browser without a window: it keeps cookies by the port that gave them, goes where it is sent, and fills in forms. */
export class Browser {
  readonly #jars = new Map<string, Map<string, string>>()
  /** Where it is. */
  url = ''

  async go(url: string, form?: Record<string, string>): Promise<{ status: number; text: string }> {
    let next = { url, form }
    for (let sent = 0; sent < REDIRECTS_MAX; sent += 1) {
      const response = await this.#ask(next.url, next.form)
      const location = response.headers.get('location')
      this.url = next.url
      if (location === null) return { status: response.status, text: await response.text() }
      next = { url: new URL(location, next.url).href, form: undefined }
    }
    throw new Error(`sent on for more than ${REDIRECTS_MAX} times, to ${next.url}`)
  }

  /** The header with which it would ask there. */
  cookiesFor(url: string): string {
    return [...this.#jarOf(url)].map((pair) => pair.join('=')).join('; ')
  }

  async #ask(url: string, form: Record<string, string> | undefined): Promise<Response> {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: this.cookiesFor(url) },
      signal: AbortSignal.timeout(15_000),
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    })
    this.keep(url, response.headers)
    return response
  }

  keep(url: string, headers: Headers): void {
    for (const line of headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const at = pair.indexOf('=')
      const value = pair.slice(at + 1)
      if (value === '') this.#jarOf(url).delete(pair.slice(0, at))
      else this.#jarOf(url).set(pair.slice(0, at), value)
    }
  }

  #jarOf(url: string): Map<string, string> {
    const { host } = new URL(url)
    const jar = this.#jars.get(host) ?? new Map<string, string>()
    this.#jars.set(host, jar)
    return jar
  }
}

const REDIRECTS_MAX = 10
