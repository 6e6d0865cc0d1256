import type { Report } from '@tideshop/run/steps'
import { Steps } from '@tideshop/run/steps'
import { executableIn, pathFolders } from '@tideshop/runtime/find'
import { buildBinary } from './binaries.ts'
import { FIRST_NODE, type Place, READY_WITHIN_MS, SERVICE_SUBNET } from './place.ts'
import { holderOf } from './record.ts'
import { killPart, startBeside } from './restart.ts'
import { inside } from './space.ts'
import { until } from './until.ts'

/*
 * NetworkPolicies in the cluster that runs: its bridge knows none, and there they are words until kube-router, which does nothing
 * else here, makes rules of them. No start of a cluster waits for it, since the shop needs none of it.
 */

const NAME = 'kube-router'
const ENFORCING = 'NetworkPolicies'
/** As `report` names them. */
export const policySteps = ['binary', ENFORCING]

/** Whatever is forwarded to a pod goes through it. */
const CHAIN = 'KUBE-ROUTER-FORWARD'
/** Its own word for it (`--cleanup-config`) fails where it does not serve Services as well, and leaves all of this. */
const CLEAN_UP = [
  "iptables-save --table filter | grep -vE 'KUBE-(ROUTER|POD-FW|NWPLCY)-' | iptables-restore --wait=5 --table=filter",
  'ipset destroy',
].join('\n')

type Adding = { env: NodeJS.ProcessEnv; report: Report; signal: AbortSignal }

/** What this machine lacks for them, with the way out, or null. */
export function lackOfPolicies(env: NodeJS.ProcessEnv): string | null {
  if (executableIn(pathFolders(env), 'ipset') !== null) return null
  return 'NetworkPolicies are sets of addresses, and ipset is not on the PATH: apt-get install ipset'
}

/** Builds it the first time, and resolves when what is forwarded to pods goes by their policies. */
export async function addNetworkPolicies(place: Place, { env, report, signal }: Adding): Promise<void> {
  const lack = lackOfPolicies(env)
  if (lack !== null) throw new Error(lack)
  const steps = new Steps(report, signal)
  const command = await steps.take('binary', () =>
    buildBinary(NAME, { env, signal, report: (line) => steps.note('binary', line) }),
  )
  await steps.take(ENFORCING, async () => {
    if (await hasNetworkPolicies(place)) return
    startBeside(place, NAME, { command, args: argumentsAt(place) })
    await until('rules for NetworkPolicies', READY_WITHIN_MS, () => hasNetworkPolicies(place))
  })
}

export async function hasNetworkPolicies(place: Place): Promise<boolean> {
  return inside(holderOf(place).pid, 'iptables', ['--list-rules', CHAIN]).then(
    () => true,
    () => false,
  )
}

/** Policies stay, and are words again. */
export async function removeNetworkPolicies(place: Place): Promise<void> {
  if (!(await hasNetworkPolicies(place))) return
  // It may have ended by itself, and its rules stay.
  await killPart(place, NAME).catch(() => undefined)
  await inside(holderOf(place).pid, 'sh', ['-ec', CLEAN_UP])
}

function argumentsAt({ kubeconfig }: Place): string[] {
  const options = {
    kubeconfig,
    'hostname-override': FIRST_NODE.name,
    'run-firewall': true,
    // Addresses of pods are the bridge's matter, those of Services kube-proxy's.
    'run-router': false,
    'run-service-proxy': false,
    'run-loadbalancer': false,
    'service-cluster-ip-range': SERVICE_SUBNET,
    // 0: nobody asks for either.
    'metrics-port': 0,
    'health-port': 0,
  }
  return Object.entries(options).map(([name, value]) => `--${name}=${value}`)
}
