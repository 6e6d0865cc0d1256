import { existsSync } from 'node:fs'
import { executableIn, isExecutable, pathFolders } from '@tideshop/runtime/find'

/** Programs of the system, and the Debian package of each. */
const PROGRAMS = {
  containerd: 'containerd',
  ctr: 'containerd',
  'containerd-shim-runc-v2': 'containerd',
  runc: 'runc',
  iptables: 'iptables',
  ip: 'iproute2',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  openssl: 'openssl',
  tar: 'tar',
} as const

/** Debian's folder, and that of most others. */
const CNI_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin']

const BRIDGE_FILTER = '/proc/sys/net/bridge/bridge-nf-call-iptables'

/** What this machine lacks for a cluster, one sentence each, with the way out. */
export function lacksOf(env: NodeJS.ProcessEnv): string[] {
  if (process.platform !== 'linux') {
    return [
      'a cluster of containers needs Linux: use one that runs elsewhere (pnpm cluster up --context NAME)',
    ]
  }
  const lacks: string[] = []
  if (process.getuid?.() !== 0)
    lacks.push('namespaces and containers need root: run it as root (sudo --preserve-env=PATH,HOME)')
  const missing = missingPrograms(env)
  if (missing.length > 0) {
    const packages = new Set(missing.map(([, name]) => name))
    lacks.push(
      `not on the PATH: ${missing.map(([program]) => program).join(', ')}: apt-get install ${[...packages].join(' ')}`,
    )
  }
  if (cniFolder() === null) {
    lacks.push(`no CNI plugins in ${CNI_FOLDERS.join(' or ')}: apt-get install containernetworking-plugins`)
  }
  if (!existsSync(BRIDGE_FILTER)) lacks.push('no packet filter on bridges: modprobe br_netfilter')
  return lacks
}

/** Where the CNI plugins are, or null. */
export function cniFolder(): string | null {
  const needed = ['bridge', 'host-local']
  return CNI_FOLDERS.find((folder) => needed.every((name) => isExecutable(`${folder}/${name}`))) ?? null
}

function missingPrograms(env: NodeJS.ProcessEnv): [string, string][] {
  return Object.entries(PROGRAMS).filter(([program]) => executableIn(pathFolders(env), program) === null)
}
