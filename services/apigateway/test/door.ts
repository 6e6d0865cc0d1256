import { randomUUIDv7 } from 'node:crypto'
import type { Baskets } from '@tideshop/clients/baskets'
import { askNobody } from '@tideshop/clients/test/nobody'
import { lantern, shelfOf } from '@tideshop/clients/test/shelf'
import type { BasketView } from '@tideshop/contracts/basket'
import { Refusal } from '@tideshop/kit/refusal'
import { quietParts } from '@tideshop/kit/test/parts'
import request from 'supertest'
import { onTestFinished } from 'vitest'
import { accountsOf } from '../src/accounts.ts'
import { gatewayApp } from '../src/app.ts'
import { accountIdOf } from '../src/customer.ts'
import { defaultLimits } from '../src/limits.ts'
import { AUDIENCE, CLIENT, fakeIssuer } from './fake-issuer.ts'
import { openSettings } from './open-settings.ts'

const KEPT_S = 3600

/** Baskets in memory, with no more room than so many goods. */
function memoryBaskets(room = 100) {
  const held = new Map<string, BasketView>()
  const find = async (id: string) => held.get(id) ?? { lines: [], voucherCodes: [] }
  const baskets: Baskets = {
    find,
    async change(id, change) {
      const { lines, voucherCodes } = await find(id)
      const others = (sku: string) => lines.filter((line) => line.sku !== sku)
      if (change.kind === 'put-line') {
        const { sku, quantity } = change
        if (others(sku).length >= room) throw new Refusal('conflict', 'full')
        held.set(id, { lines: [...others(sku), { sku, quantity }], voucherCodes })
      }
      if (change.kind === 'put-vouchers') held.set(id, { lines, voucherCodes: change.voucherCodes })
      if (change.kind === 'take-ordered') {
        const taken = JSON.stringify(change.lines)
        held.set(id, {
          lines: lines.filter((line) => !taken.includes(JSON.stringify(line))),
          voucherCodes: [],
        })
      }
      return { basket: await find(id), keptS: KEPT_S }
    },
  }
  return { baskets, held }
}

/** The door of a shop with an issuer, whose services are in memory. */
export async function door({
  room,
  limits = defaultLimits,
}: {
  room?: number
  limits?: typeof defaultLimits
} = {}) {
  const issuer = await fakeIssuer()
  onTestFinished(issuer.close)
  const { baskets, held } = memoryBaskets(room)
  const put: unknown[] = []
  const parts = quietParts('apigateway')
  const settings = { issuer: issuer.url, audience: AUDIENCE, clientId: CLIENT, rolesClaim: 'roles' }
  const app = gatewayApp({
    ...parts,
    ...askNobody,
    settings: openSettings,
    baskets,
    catalog: {
      ...shelfOf([lantern]),
      async putGood(sku, wish) {
        put.push([sku, wish])
        return lantern
      },
    },
    prices: {
      quote: async () => ({
        lines: [],
        discounts: [],
        subtotalCents: 0,
        totalCents: 0,
        vouchers: [],
        at: '',
      }),
    },
    stock: {
      read: async () => ({ free: 1, held: 0, sold: 0, received: 1 }),
      deliver: async (_sku, delivery) => delivery,
    },
    accounts: accountsOf(settings, parts.log),
    limits,
    newId: () => randomUUIDv7(),
  })
  const basketOf = (headers: Record<string, string>) => request(app).get('/api/basket').set(headers)
  return { app, issuer, held, put, basketOf, mine: accountIdOf(issuer.url, 'hans') }
}

export type Door = Awaited<ReturnType<typeof door>>

export function withToken(token: string) {
  return { authorization: `Bearer ${token}` }
}

export const guest = (id: string) => ({ cookie: `tideshop-customer=${id}` })

/** What a browser keeps of an answer, for the next request. */
export function kept(response: request.Response): string {
  const lines = (response.headers['set-cookie'] ?? []) as unknown as string[]
  return lines.map((line) => line.split(';')[0]).join('; ')
}

/** As a browser does it; resolves with the answer to its return. */
export async function signIn({ app }: Door, { to = '/', cookie = '' } = {}): Promise<request.Response> {
  const host = '127.0.0.1:8080'
  const began = await request(app).get('/sign-in').query({ to }).set({ host, cookie })
  const back = await fetch(String(began.headers['location']), { redirect: 'manual' })
  const { pathname, search } = new URL(String(back.headers.get('location')))
  return request(app)
    .get(pathname + search)
    .set({ host, cookie: `${cookie}; ${kept(began)}` })
}
