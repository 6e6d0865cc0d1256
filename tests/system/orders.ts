import { once } from 'node:events'
import { createServer } from 'node:http'
import path from 'node:path'
import { EXPIRED_AT_ONCE_MAX } from '@tideshop/contracts/orders'
import { Fleet } from '@tideshop/run/fleet'
import { firstTaken, needsOf } from '@tideshop/run/ports'
import { defineSidecar } from '@tideshop/run/replica'
import type { Shop } from '@tideshop/run/shop'
import { provide } from '@tideshop/runtime/provide'

/** Added to the ports of jobs: between those of the shop's replicas. */
const PORTS_BESIDE = 50

export type Orders = {
  /** Orders whose time is over. */
  due: number
  /** Orders of any day. */
  placed: number
  /** Answers 500 to all. */
  isSick: boolean
  /** What each call let expire. */
  expiredAtOnce: number[]
  stop: () => Promise<void>
}

/**
 * `orders` as jobs knows it, by its contract and behind a sidecar of its own, so that a test can say how many are due and make it
 * fail. Where the shop has one, that one leaves.
 */
export async function openOrders(shop: Shop, dir: string): Promise<Orders> {
  for (const _ of shop.replicas('orders')) await shop.removeReplica('orders')
  const orders: Orders = { due: 0, placed: 4, isSick: false, expiredAtOnce: [], stop }
  const server = createServer((request, response) => {
    const { status, body } = answer(orders, `${request.method} ${request.url}`)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  const ports = portsBeside(shop)
  const taken = await firstTaken(needsOf('orders', ports))
  if (taken) throw new Error(`port ${taken.port} is taken`)
  server.listen(ports.appPort, '127.0.0.1')
  await once(server, 'listening')

  const fleet = await Fleet.open({ dir: path.join(dir, 'orders'), url: 'only orders' })
  const daprd = await provide('daprd', { report: () => undefined })
  const rendered = { resourcesDir: path.join(dir, 'components'), configFile: path.join(dir, 'config.yaml') }
  const entry = { appId: 'orders', appProtocol: 'http', logLevel: 'warn', healthCheck: null } as const
  const sidecar = defineSidecar({ fleet, daprd, rendered }, entry, 'orders/daprd', ports)
  await sidecar.start()
  fleet.opened()
  return orders

  async function stop(): Promise<void> {
    await sidecar.kill()
    await fleet.stop()
    server.close()
    server.closeAllConnections()
  }
}

function portsBeside(shop: Shop) {
  const [jobs] = shop.replicas('jobs')
  if (jobs === undefined) throw new Error('there is no jobs')
  return {
    appPort: jobs.appPort + PORTS_BESIDE,
    daprHttpPort: jobs.daprHttpPort + PORTS_BESIDE,
    daprGrpcPort: jobs.daprGrpcPort + PORTS_BESIDE,
    daprInternalGrpcPort: jobs.daprGrpcPort + 10_000 + PORTS_BESIDE,
    metricsPort: jobs.metricsPort + PORTS_BESIDE,
  }
}

function answer(orders: Orders, asked: string): { status: number; body: object } {
  if (orders.isSick) return { status: 500, body: { title: 'internal', status: 500 } }
  if (asked === 'POST /orders/expire') {
    const expired = Math.min(orders.due, EXPIRED_AT_ONCE_MAX)
    orders.due -= expired
    orders.expiredAtOnce.push(expired)
    return { status: 200, body: { expired } }
  }
  const day = /^GET \/orders\/statistics\?day=([\d-]+)$/.exec(asked)?.[1]
  if (day === undefined) return { status: 404, body: { title: 'not-found', status: 404, detail: asked } }
  const { placed } = orders
  return { status: 200, body: { day, placed, byStatus: { delivered: placed }, turnoverCents: placed * 999 } }
}
