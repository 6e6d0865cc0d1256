import { join } from 'node:path'
import { root } from '@tideshop/run/arguments'
import { answers } from '@tideshop/run/process'
import { needRabbitmq } from '@tideshop/run/rabbitmq'
import type { Kubectl } from './kubectl.ts'
import { DOOR_SERVICE, NAMESPACE, READY_WITHIN_MS } from './place.ts'
import type { Plan } from './plan.ts'
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
  'invoices',
  'orders',
  'payments',
  'jobs',
]

/** Those, and who says who people are. */
export const SHOP_IMAGES = [...SERVICES, 'issuer']

const OVERLAY = join(root, 'k8s/overlays/local')

export async function installShop(kubectl: Kubectl, plan: Plan): Promise<void> {
  await applyShop(kubectl, plan)
  await kubectl.untilReady(NAMESPACE, READY_WITHIN_MS)
}

/** The shop with its scalers, as overlays/local has it, but for those whose queue is missing. */
export function applyShop(kubectl: Kubectl, { rabbitmq }: Pick<Plan, 'rabbitmq'>): Promise<void> {
  const left = rabbitmq === null ? [`--selector=app notin (${needRabbitmq.join(',')})`] : []
  return kubectl.apply('--kustomize', OVERLAY, ...left)
}

export async function untilOpen(): Promise<void> {
  await until('the front door', READY_WITHIN_MS, () => answers(`http://${DOOR_SERVICE}/readyz`, 200))
}
