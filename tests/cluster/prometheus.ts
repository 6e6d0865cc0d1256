import { type Place, POD_SUBNET, PROMETHEUS_DOOR_PORT } from '@tideshop/cluster/place'
import { holderOf } from '@tideshop/cluster/record'
import { inside } from '@tideshop/cluster/space'

const SIDECARS = [
  'OUTPUT',
  '--protocol',
  'tcp',
  '--dport',
  '9090',
  '--destination',
  POD_SUBNET,
  '--jump',
  'DROP',
]

type Answer = { data: { result: { value: [number, string] }[] } }

/** What Prometheus answers to a query that has one value, or null where it finds nothing. */
export async function askPrometheus(query: string): Promise<number | null> {
  const address = new URL(`http://127.0.0.1:${PROMETHEUS_DOOR_PORT}/api/v1/query`)
  address.searchParams.set('query', query)
  const { data } = (await (await fetch(address)).json()) as Answer
  const [first] = data.result
  return first ? Number(first.value[1]) : null
}

/** Meanwhile Prometheus reaches no sidecar: what it sends to one is lost. */
export async function unscraped(place: Place, during: () => Promise<void>): Promise<void> {
  const { pid } = holderOf(place)
  await inside(pid, 'iptables', ['--wait', '--insert', ...SIDECARS])
  try {
    await during()
  } finally {
    await inside(pid, 'iptables', ['--wait', '--delete', ...SIDECARS])
  }
}
