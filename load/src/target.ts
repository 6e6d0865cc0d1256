import { request } from 'undici'
import { CannotRun } from './arguments.ts'

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])
const ANSWER_MS_MAX = 3_000

export const DEFAULT_BASE_URL = 'http://127.0.0.1:8080'

/** The origin of a shop on this machine. Any other host is refused: load on a stranger is an attack. */
export function loopbackOrigin(baseUrl: string): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : null
  if (url?.protocol !== 'http:') throw new CannotRun(`--base-url is an http:// address, not "${baseUrl}"`)
  if (!isLoopback(url.href)) {
    throw new CannotRun(`load goes only to this machine (127.0.0.1 or localhost), not to "${url.hostname}"`)
  }
  if (url.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw new CannotRun(`--base-url is a host and a port alone, like ${DEFAULT_BASE_URL}, not "${baseUrl}"`)
  }
  return url.origin
}

export function isLoopback(url: string): boolean {
  return URL.canParse(url) && LOOPBACK.has(new URL(url).hostname)
}

export async function answersAt(origin: string): Promise<boolean> {
  return (await askHealth(origin)) === 200
}

/** Throws unless a shop answers there: better one sentence now than a thousand refused connections. */
export async function expectShop(origin: string): Promise<void> {
  const answer = await askHealth(origin)
  if (typeof answer === 'string') {
    throw new CannotRun(`no shop answers at ${origin} (${answer}): run \`pnpm start\` first`)
  }
  if (answer !== 200) {
    throw new CannotRun(
      `${origin}/healthz answers ${answer}, so this is no healthy shop: run \`pnpm start\` first`,
    )
  }
}

/** The status, or why there was none. */
async function askHealth(origin: string): Promise<number | string> {
  try {
    const limits = { headersTimeout: ANSWER_MS_MAX, bodyTimeout: ANSWER_MS_MAX }
    const { statusCode, body } = await request(`${origin}/healthz`, limits)
    await body.dump()
    return statusCode
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
}
