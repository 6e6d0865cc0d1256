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

const LOG_LINES = 200
const OVERLAY = join(root, 'k8s/overlays/local')
const ASLEEP = join(root, 'k8s/asleep')

/** For the first time. As somebody else than `applyShop`, which says no `replicas`: whose field it was would lose it. */
export async function installShop(kubectl: Kubectl, plan: Plan): Promise<void> {
  await kubectl.apply('--kustomize', ASLEEP, '--field-manager=start', ...leftOut(plan))
  await kubectl.untilReady(NAMESPACE, READY_WITHIN_MS)
}

/** The shop with its scalers, as overlays/local has it. */
export function applyShop(kubectl: Kubectl, plan: Pick<Plan, 'rabbitmq'>): Promise<void> {
  return kubectl.apply('--kustomize', OVERLAY, ...leftOut(plan))
}

/** Those whose queue is missing. */
function leftOut({ rabbitmq }: Pick<Plan, 'rabbitmq'>): string[] {
  return rabbitmq === null ? [`--selector=app notin (${needRabbitmq.join(',')})`] : []
}

/** In this terminal: what a service and its sidecars said last. */
export function serviceLogs(kubectl: Kubectl, service = ''): Promise<number> {
  const of = [`--namespace=${NAMESPACE}`, `--selector=app=${service}`, '--all-containers', '--prefix']
  return kubectl.inTerminal('logs', ...of, `--tail=${LOG_LINES}`)
}

export async function untilOpen(): Promise<void> {
  await until('the front door', READY_WITHIN_MS, () => answers(`http://${DOOR_SERVICE}/readyz`, 200))
}
