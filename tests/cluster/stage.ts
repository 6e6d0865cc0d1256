import { kubectlAt } from '@tideshop/cluster/kubectl'
import { NAMESPACE, placeOf } from '@tideshop/cluster/place'
import { expect } from 'vitest'
import { clusterApi } from './api.ts'
import { type Called, demandKept, type Load, underLoad } from './ledger.ts'
import { ReplicaWatch, seconds } from './replicas.ts'

/*
 * What is done to a shop at work, as the tests of faults and of nodes do it.
 */

export const SERVICES = ['apigateway', 'operations', 'users', 'approvals']
/** Modest, so that two cores have room for what is done to them. */
const LOAD: Load = { callers: 10, perSecond: 7 }
const ROLLED_WITHIN_MS = 300_000
export const BACK_WITHIN_MS = 120_000

const TOLD =
  /^tideshop_rpc_seconds_count\{.*rpc="tideshop\.apigateway\.v1\.Apigateway\/Tell".*code="OK".*\} (\d+)$/m

type Pod = {
  metadata: { name: string; labels: Record<string, string>; deletionTimestamp?: string }
  spec: { nodeName?: string }
  status: { conditions?: { type: string; status: string }[] }
}

/** A shop at work, who watches it, and what a file's tests have to tell at their end. */
export class Stage implements Disposable {
  readonly watch = new ReplicaWatch()
  readonly #told: string[] = [];

  [Symbol.dispose](): void {
    this.watch[Symbol.dispose]()
    process.stdout.write(`\n${this.#told.map((line) => `  ${line}\n`).join('')}`)
  }

  tell(line: string): void {
    this.#told.push(line)
  }

  /** Something happens under load; whatever it is, no promise may be lost or kept twice. */
  async happening(what: string, happens: () => Promise<void>, load = LOAD): Promise<Called> {
    const began = this.watch.nowMs()
    const called = await underLoad(load, async () => {
      await this.untilAllServe()
      await happens()
    })
    await demandKept(called.promised)
    const took = seconds(this.watch.nowMs() - began)
    this.tell(`${what}: ${called.promised.length} promises, ${called.failed.length} asked to repeat, ${took}`)
    return called
  }

  async untilAllServe(): Promise<void> {
    const asleep = () => SERVICES.filter((service) => this.watch.ready(service) === 0)
    await expect.poll(asleep, { timeout: BACK_WITHIN_MS }).toEqual([])
  }

  /** Until there are two doors that tell each other what they see. */
  async untilDoorsTell(): Promise<void> {
    await expect.poll(() => this.watch.ready('apigateway'), { timeout: BACK_WITHIN_MS }).toBeGreaterThan(1)
    await expect.poll(toldByOtherDoors, { timeout: BACK_WITHIN_MS, interval: 500 }).toBeGreaterThan(0)
  }
}

/** How often a door heard from another what that one saw, by which KEDA hears of it. */
async function toldByOtherDoors(): Promise<number> {
  const doors = await podsOf(`--namespace=${NAMESPACE}`, '--selector=app=apigateway')
  const ways = doors.map(
    ({ metadata }) => `/api/v1/namespaces/${NAMESPACE}/pods/${metadata.name}:8080/proxy/metrics`,
  )
  // One that comes or leaves has none.
  const metrics = await Promise.all(
    ways.map((way) =>
      clusterApi()
        .text(way)
        .catch(() => ''),
    ),
  )
  return metrics.map((text) => Number(TOLD.exec(text)?.[1] ?? 0)).reduce((one, other) => one + other, 0)
}

/** Resolves when the replicas of these are the new ones, and serve. */
export async function rolledOut(...services: string[]): Promise<void> {
  const within = `--timeout=${ROLLED_WITHIN_MS / 1000}s`
  await Promise.all(
    services.map((service) => inNamespace('rollout', 'status', `deployment/${service}`, within)),
  )
}

/** kubectl, in the namespace of the shop. */
export function inNamespace(...args: string[]): Promise<string> {
  return kubectlAt(placeOf(process.env)).run(...args, `--namespace=${NAMESPACE}`)
}

/** Whether it serves. */
export function isReady({ status }: Pod): boolean {
  return status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false
}

/** Those that are not leaving. */
export async function podsOf(...which: string[]): Promise<Pod[]> {
  const { items } = await kubectlAt(placeOf(process.env)).get<{ items: Pod[] }>('pods', ...which)
  return items.filter(({ metadata }) => !metadata.deletionTimestamp)
}
