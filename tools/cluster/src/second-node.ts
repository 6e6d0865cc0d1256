import type { Report } from '@tideshop/run/steps'
import { Steps } from '@tideshop/run/steps'
import { killGroup, makeNodeGroup, removeGroups } from './groups.ts'
import { kubectlAt } from './kubectl.ts'
import {
  containerdAt,
  giveImages,
  isNodeReady,
  kubeletAt,
  ownName,
  socketOf,
  untilNodeReady,
} from './node.ts'
import { type Place, READY_WITHIN_MS, SECOND_NODE } from './place.ts'
import { planAt } from './plan.ts'
import { holderOf } from './record.ts'
import { startBeside } from './restart.ts'
import { inside, leadingInto } from './space.ts'
import { until } from './until.ts'

/*
 * A second node for the cluster that runs: one that can be drained, and lost. It has a kubelet, a containerd and a network for its pods;
 * the rules of kube-proxy are those of the first, since both are in one network namespace. NetworkPolicies (network-policies.ts) are enforced
 * for pods of the first node alone.
 */

const node = SECOND_NODE
const DRAINED_WITHIN_S = 180

/** As `report` names them. */
export const nodeSteps = ['containerd', 'images', node.name]

type Adding = { env: NodeJS.ProcessEnv; report: Report; signal: AbortSignal }

/** Resolves when pods can be placed on it. When it fails nothing of it is left. */
export async function addNode(place: Place, { report, signal }: Adding): Promise<void> {
  if (await hasNode(place)) return
  const steps = new Steps(report, signal)
  try {
    await start(place, steps)
  } catch (error) {
    await removeNode(place)
    throw error
  }
}

export async function hasNode(place: Place): Promise<boolean> {
  return (await kubectlAt(place).run('get', 'node', node.name, '--ignore-not-found')) !== ''
}

/** Its pods move to the first node before, unless it is lost. */
export async function removeNode(place: Place): Promise<void> {
  const kubectl = kubectlAt(place)
  if (await isNodeReady(kubectl, node)) {
    const moved = [
      '--ignore-daemonsets',
      '--delete-emptydir-data',
      '--force',
      `--timeout=${DRAINED_WITHIN_S}s`,
    ]
    await kubectl.run('drain', node.name, ...moved)
  }
  killGroup(node.group)
  await kubectl.run('delete', 'node', node.name, '--ignore-not-found')
  await inside(holderOf(place).pid, 'sh', ['-c', clearing(place)])
  await removeGroups(node.group)
}

/** As a power cut does it: all that runs on it ends at one moment, and who writes to its pods hears nothing any more. */
export async function loseNode(place: Place): Promise<void> {
  await inside(holderOf(place).pid, 'sh', ['-ec', CUT.join('\n')])
  killGroup(node.group)
}

const CUT = [
  `ip link set ${node.bridge} down`,
  // Otherwise the kernel would say that they cannot be reached, and who writes to them would know at once.
  `ip route add blackhole ${node.podSubnet}`,
  `ip address delete ${node.address}/24 dev node0`,
]
/** What is left of it in the cluster's namespaces. Some is not there, by how far a start came and by what happened since. */
function clearing(place: Place): string {
  const folders = [`/run/${ownName(node, 'containerd')}`, ...ownFolders(place)]
  const links = `ip -o link show master ${node.bridge} 2> /dev/null | sed -E 's/^[0-9]+: ([^@:]+).*/\\1/'`
  return [
    ...folders.map(
      (folder) => `grep -oE ' ${folder}(/[^ ]*)? ' /proc/mounts | sort -r | xargs -r umount --lazy`,
    ),
    `rm -rf ${folders.join(' ')}`,
    `${links} | xargs -r -n 1 ip link delete`,
    `ip link delete ${node.bridge} 2> /dev/null`,
    `ip route delete blackhole ${node.podSubnet} 2> /dev/null`,
    `ip address delete ${node.address}/24 dev node0 2> /dev/null`,
    'true',
  ].join('\n')
}

function ownFolders(place: Place): string[] {
  return ['containerd', 'kubelet', 'cni', 'addresses', 'pod-logs'].map((what) =>
    place.file(ownName(node, what)),
  )
}

async function start(place: Place, steps: Steps): Promise<void> {
  const { binaries, cni, platformImages, shopImages } = planAt(place)
  const holder = holderOf(place).pid
  const group = makeNodeGroup(node.group)
  await steps.take('containerd', async () => {
    await inside(holder, 'ip', ['address', 'add', `${node.address}/24`, 'dev', 'node0'])
    startBeside(place, ownName(node, 'containerd'), containerdAt(place, cni, node), group)
    const asked = () =>
      inside(holder, 'ctr', ['--address', socketOf(node), 'version']).then(
        () => true,
        () => false,
      )
    await until(`an answer of containerd of ${node.name}`, READY_WITHIN_MS, asked)
  })
  await steps.take('images', () => giveImages([...platformImages, ...shopImages], leadingInto(holder), node))
  await steps.take(node.name, async () => {
    startBeside(place, ownName(node, 'kubelet'), kubeletAt(place, binaries.kubelite, node), group)
    await untilNodeReady(kubectlAt(place), node)
  })
}
