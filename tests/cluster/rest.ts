import { NAMESPACE } from '@tideshop/cluster/place'
import { ClusterWatch } from '@tideshop/load/cluster/watch'
import { isAtRest } from '@tideshop/load/timeline'
import { expect, vi } from 'vitest'
import { clusterApi } from './api.ts'

const REST_WITHIN_MS = 180_000
const LOOK_EVERY_MS = 500

type Pods = { items: { metadata: { name: string; deletionTimestamp?: string } }[] }

/**
 * Until every service has its least, and nobody is leaving: what the test before asked for is no load of the next one. With ten doors of
 * its predecessor on two slow cores, a test that waited a minute for two other services waited in vain.
 */
export async function untilShopRests(): Promise<void> {
  const watch = new ClusterWatch(clusterApi(), NAMESPACE)
  const patience = { timeout: REST_WITHIN_MS, interval: LOOK_EVERY_MS }
  await vi.waitFor(async () => expect(await busyIn(watch)).toEqual([]), patience)
}

async function busyIn(watch: ClusterWatch): Promise<string[]> {
  const services = await watch.look()
  const { items } = await clusterApi().get<Pods>(`/api/v1/namespaces/${NAMESPACE}/pods`)
  return [
    ...services.filter((service) => !isAtRest([service])).map(({ service }) => service),
    ...items.filter(({ metadata }) => metadata.deletionTimestamp).map(({ metadata }) => metadata.name),
  ]
}
