import { type StockAnswer, type StockView, stockAnswer } from '@tideshop/contracts/catalog'
import type { Shop } from '@tideshop/run/shop'
import { Agent, request } from 'undici'

/** Milliseconds for one turn: with a thousand in the queue before it. */
const TURN_WITHIN_MS = 30_000
/** Milliseconds between two tries of who got no answer, and how many he makes. */
const TRY_EVERY_MS = 100
const TRIES_MAX = 300

/** Who asks has no connection in common with the next: a thousand buyers are a thousand callers. */
const agent = new Agent({ connections: 2000, pipelining: 1 })

export type Stock = {
  ask: (sku: string, method: string, wish?: object) => Promise<StockAnswer>
  read: (sku: string) => Promise<StockView>
  /** As it stands in the store, without a turn; null when nothing does. */
  stored: (
    sku: string,
  ) => Promise<{ held: { id: string }[]; finished: { id: string; state: string }[] } | null>
}

/** The stock of the goods, asked as another service would: through the sidecar of the door, and again where none answers. */
export function stockOf(shop: Shop): Stock {
  const [door] = shop.replicas('apigateway')

  async function once(path: string, wish: object): Promise<StockAnswer | null> {
    const asked = await request(`http://127.0.0.1:${door?.daprHttpPort}/v1.0/actors/StockActor/${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(wish),
      dispatcher: agent,
      headersTimeout: TURN_WITHIN_MS,
    }).catch(() => null)
    const text = await asked?.body.text().catch(() => null)
    return asked?.statusCode === 200 && text ? stockAnswer.parse(JSON.parse(text)) : null
  }

  async function ask(sku: string, method: string, wish: object = {}): Promise<StockAnswer> {
    for (let tried = 0; tried < TRIES_MAX; tried += 1) {
      const answer = await once(`${sku}/method/${method}`, wish)
      if (answer !== null) return answer
      await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS))
    }
    throw new Error(`no answer to ${method} of ${sku} in ${TRIES_MAX} tries`)
  }

  return {
    ask,
    async read(sku) {
      const answer = await ask(sku, 'read')
      if ('stock' in answer) return answer.stock
      throw new Error(`no stock: ${JSON.stringify(answer)}`)
    },
    async stored(sku) {
      const [host] = shop.replicas('catalog')
      const path = `/v1.0/actors/StockActor/${sku}/state/state`
      const { statusCode, body } = await request(`http://127.0.0.1:${host?.daprHttpPort}${path}`)
      const text = await body.text()
      return statusCode === 200 ? JSON.parse(text).body : null
    },
  }
}

/** A good of a test's own, with so many pieces. */
export async function putGood(shop: Shop, sku: string, openingPieces: number): Promise<void> {
  const [host] = shop.replicas('catalog')
  const { statusCode, body } = await request(`http://127.0.0.1:${host?.appPort}/admin/good?sku=${sku}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: `Good of a test ${sku}`,
      description: 'Of which there are only so many.',
      category: 'toys',
      priceCents: 1000,
      tint: '#336699',
      openingPieces,
    }),
  })
  const text = await body.text()
  if (statusCode !== 200) throw new Error(`the good was not taken: ${text}`)
}
