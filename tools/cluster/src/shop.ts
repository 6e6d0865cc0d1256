import { join } from 'node:path'
import { root } from '@tideshop/run/arguments'
import { answers } from '@tideshop/run/process'
import type { Kubectl } from './kubectl.ts'
import { DOOR_SERVICE, NAMESPACE, READY_WITHIN_MS } from './place.ts'
import { until } from './until.ts'

export const SERVICES = [
  'apigateway',
  'storefront',
  'operations',
  'users',
  'approvals',
  'pricing',
  'catalog',
  'basket',
  'orders',
  'payments',
  'jobs',
]

/** Those, and who says who people are. */
export const SHOP_IMAGES = [...SERVICES, 'issuer']

const OVERLAY = join(root, 'k8s/overlays/local')

/** The shop with its scalers, as overlays/local has it. */
export async function installShop(kubectl: Kubectl): Promise<void> {
  await kubectl.apply('--kustomize', OVERLAY)
  await kubectl.untilReady(NAMESPACE, READY_WITHIN_MS)
}

export async function untilOpen(): Promise<void> {
  await until('the front door', READY_WITHIN_MS, () => answers(`http://${DOOR_SERVICE}/readyz`, 200))
}
