import { expect, test } from 'vitest'
import { ask } from './door.ts'
import { openShop } from './open-shop.ts'

/** On Kubernetes (k8s/base/apigateway.yaml); on a laptop nobody sleeps. */
const shop = await openShop({ only: ['pricing'], env: { WAKE_WAIT_MS: '10000' } })

function quote() {
  const body = JSON.stringify({ lines: [{ sku: 'cup', unitPriceCents: 999, quantity: 1 }] })
  const headers = { 'content-type': 'application/json' }
  return ask(shop, '/api/prices/quote', { method: 'POST', headers, body })
}

test('who finds pricing at zero replicas is served when it has woken, and the door’s sidecar counts each try', async () => {
  expect((await quote()).status).toBe(200)
  await shop.removeReplica('pricing')
  const before = await tries()

  const [first, second] = [quote(), quote()]
  // What wakes it, on Kubernetes.
  await expect.poll(tries, { timeout: 8000, interval: 50 }).toBeGreaterThan(before)
  await shop.addReplica('pricing')
  for (const { status, body } of await Promise.all([first, second])) {
    expect({ status, totalCents: body['totalCents'] }).toEqual({ status: 200, totalCents: 999 })
  }
})

/** Calls that the door's sidecar has counted, and that found nobody. */
async function tries(): Promise<number> {
  const [door] = shop.replicas('apigateway')
  const metrics = await (await fetch(`http://127.0.0.1:${door?.metricsPort}/metrics`)).text()
  const lines = metrics.split('\n').filter((line) => line.startsWith('dapr_grpc_io_server_completed_rpcs{'))
  const failed = lines.filter((line) => line.includes('Pricing/Quote"') && !line.includes('status="OK"'))
  return failed.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}
