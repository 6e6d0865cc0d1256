import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { QuoteBody } from '@tideshop/contracts/pricing'

/** What the fake does wrong, so that a test can see whether the load tool notices. */
export type Lie =
  | 'loses every third operation'
  | 'answers 200 for an unknown id'
  | 'completes who is denied'
  | 'gives one id twice'
  | 'never ends anything'
  | 'forgets what ended'
  | 'refuses every third create'
  | 'reckons a cent too much'

type Operation = {
  uuid: string
  type: 'user-create'
  state: 'pending' | 'completed' | 'failed'
  data: { name: string; uuid?: string; createdAt?: string; approved?: 'pending' | 'true' | 'false' }
  response: { state: 'pending' | 'completed' | 'failed'; error?: string }
  error?: string
}

type Shop = {
  lie: Lie | undefined
  operations: Map<string, Operation>
  byKey: Map<string, Operation>
  created: number
}

const BODY_BYTES_MAX = 64 * 1024
const ENDS_AFTER_MS = 20
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

type Reply = { status: number; body: object | string; type?: string; location?: string }

export type FakeShop = { baseUrl: string; created(): number } & AsyncDisposable

/** A shop in one process, without sidecars: it answers as the API promises, but for its one lie. */
export async function fakeShop(lie?: Lie): Promise<FakeShop> {
  const shop: Shop = { lie, operations: new Map(), byKey: new Map(), created: 0 }
  const server = createServer(async (request, response) => {
    const { status, body, type = 'application/json; charset=utf-8', location } = await reply(shop, request)
    if (location) response.setHeader('location', location)
    response.writeHead(status, { 'content-type': type })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    created: () => shop.created,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

async function reply(shop: Shop, request: IncomingMessage): Promise<Reply> {
  const route = `${request.method} ${request.url}`
  const body = await readBody(request)
  if (route.startsWith('GET /operation/get/')) return get(shop, route.split('/').at(-1) ?? '')
  if (route === 'POST /api/prices/quote') return quote(shop, JSON.parse(body))
  if (!route.startsWith('POST /operation/create/')) return door(route)

  if (!route.endsWith('/user-create')) return problem(404, 'no such operation')
  if (!request.headers['content-type']?.includes('application/json')) return problem(415, 'send JSON')
  if (body.length > BODY_BYTES_MAX) return problem(413, 'the body is too large')
  return create(shop, body, request.headers['idempotency-key']?.toString())
}

function create(shop: Shop, body: string, key: string | undefined): Reply {
  const name = nameOf(body)
  if (name === 'broken') return problem(400, 'the body is not JSON')
  if (name === 'missing') return problem(400, 'wrong fields', [{ path: 'name', message: 'must be a text' }])

  const earlier = key === undefined ? undefined : shop.byKey.get(key)
  if (earlier && earlier.data.name !== name.text) return problem(422, 'this key named another body')
  return earlier ? accepted(earlier) : accept(shop, name.text, key)
}

function accept(shop: Shop, name: string, key: string | undefined): Reply {
  const third = ++shop.created % 3 === 0
  if (shop.lie === 'refuses every third create' && third) return problem(503, 'not now')

  const again = shop.lie === 'gives one id twice' ? [...shop.operations.keys()][0] : undefined
  const uuid = again ?? uuidOfNow()
  const operation: Operation = {
    uuid,
    type: 'user-create',
    state: 'pending',
    data: { name },
    response: { state: 'pending' },
  }
  if (key !== undefined) shop.byKey.set(key, operation)
  if (!(shop.lie === 'loses every third operation' && third)) shop.operations.set(uuid, operation)
  if (shop.lie !== 'never ends anything') setTimeout(end, ENDS_AFTER_MS, shop, operation).unref()
  return accepted(operation)
}

function accepted(operation: Operation): Reply {
  return { status: 202, body: operation, location: `/operation/get/${operation.uuid}` }
}

function end(shop: Shop, operation: Operation): void {
  const denied = operation.data.name === 'mallory' && shop.lie !== 'completes who is denied'
  operation.state = operation.response.state = denied ? 'failed' : 'completed'
  operation.data.uuid = uuidOfNow()
  operation.data.createdAt = new Date().toISOString()
  operation.data.approved = denied ? 'false' : 'true'
  if (denied) operation.error = operation.response.error = 'the name is on the deny list'
}

function get(shop: Shop, uuid: string): Reply {
  if (!UUID.test(uuid)) return problem(400, 'this is no id')
  const operation = shop.operations.get(uuid)
  if (shop.lie === 'forgets what ended' && operation?.state !== 'pending') shop.operations.delete(uuid)
  if (operation) return { status: 200, body: operation }
  if (shop.lie === 'answers 200 for an unknown id') return { status: 200, body: {} }
  return problem(404, 'no such operation')
}

/** As pricing reckons what the load tool asks: a dozen is cheaper, and so is all with a voucher. */
function quote({ lie }: Shop, asked: QuoteBody): Reply {
  const lines = asked.lines.map((line) => {
    const full = line.unitPriceCents * line.quantity
    const dozen = full - Math.floor(line.quantity >= 12 ? full * 0.05 : 0)
    const totalCents = dozen - (asked.voucherCodes.length > 0 ? Math.floor(dozen * 0.1) : 0)
    return { ...line, discounts: [], totalCents }
  })
  const sum = lines.reduce((total, line) => total + line.totalCents, 0)
  const totalCents = sum + (lie === 'reckons a cent too much' ? 1 : 0)
  return {
    status: 200,
    body: { lines, discounts: [], subtotalCents: sum, totalCents, vouchers: [], at: asked.at },
  }
}

function door(route: string): Reply {
  const paths = { '/operation/create/user-create': {}, '/operation/get/{uuid}': {} }
  if (route === 'GET /healthz' || route === 'GET /readyz') return { status: 200, body: { status: 'ok' } }
  if (route === 'GET /openapi.json') return { status: 200, body: { openapi: '3.1.0', paths } }
  if (route === 'GET /docs') return { status: 200, body: '<!doctype html>', type: 'text/html' }
  return problem(404, 'no such route')
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += chunk
  return body
}

function nameOf(body: string): 'broken' | 'missing' | { text: string } {
  try {
    const { name } = JSON.parse(body)
    return typeof name === 'string' ? { text: name } : 'missing'
  } catch {
    return 'broken'
  }
}

function uuidOfNow(): string {
  const time = Date.now().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}

function problem(status: number, detail: string, errors?: object[]): Reply {
  return { status, body: { title: 'no', status, detail, errors }, type: 'application/problem+json' }
}
