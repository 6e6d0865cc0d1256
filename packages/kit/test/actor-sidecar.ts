import type { Sidecar, SidecarRequest, SidecarResponse } from '../src/sidecar.ts'

type ActorSidecar = Sidecar & {
  /** By `<type>/<id>`, as they were written. */
  states: Map<string, unknown>
  /** When they are due, by `<type>/<id>`. */
  reminders: Map<string, string>
  /** What does not answer. */
  away: Set<string>
}

/** The sidecar of an app with actors, in memory: keeps their states and the reminders that were set. */
export function actorSidecar(): ActorSidecar {
  const states = new Map<string, unknown>()
  const reminders = new Map<string, string>()
  const away = new Set<string>()

  async function send({ method, path, body }: SidecarRequest): Promise<SidecarResponse> {
    const [type, id, kind = ''] = path.replace('/v1.0/actors/', '').split('/')
    const actor = `${type}/${id}`
    if (away.has(kind)) throw new Error('connect ECONNREFUSED')
    if (method === 'GET') return states.has(actor) ? said(200, states.get(actor)) : said(204)
    const wish = JSON.parse(String(body))
    if (kind === 'reminders') reminders.set(actor, wish.dueTime)
    else states.set(actor, wish[0].request.value)
    return said(204)
  }

  return { states, reminders, away, send, ready: async () => {}, close: async () => {} }
}

function said(status: number, body?: unknown): SidecarResponse {
  return { status, headers: {}, body: Buffer.from(body === undefined ? '' : JSON.stringify(body)) }
}
