import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Identity } from '@tideshop/run/record'
import { isAlive } from '@tideshop/run/record'
import { KUBEPODS, removeGroups } from './groups.ts'
import { NODE, SECOND_NODE } from './place.ts'
import { identityOf } from './record.ts'
import { until } from './until.ts'

/*
 * The cluster has its own network, mounts and processes. One process holds the three; when it is killed the kernel
 * ends every other one in there, and the mounts and devices go with the last of them. So nothing has to be looked for.
 */

const SETTINGS = ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops'].map(
  (name) => `/proc/sys/${name}`,
)
const GONE_WITHIN_MS = 30_000

/** What the kubelet sets for the whole machine. */
export function readSettings(): Record<string, string> {
  return Object.fromEntries(SETTINGS.map((file) => [file, readFileSync(file, 'utf8').trim()]))
}

export function restoreSettings(settings: Record<string, string>): void {
  for (const [file, value] of Object.entries(settings)) {
    if (readFileSync(file, 'utf8').trim() !== value) writeFileSync(file, value)
  }
}

/** Starts the process that holds the namespaces. */
export async function openSpace(pause: string): Promise<Identity> {
  const own = [
    '--net',
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    '--propagation',
    'private',
  ]
  const outer = spawn('unshare', [...own, '--', pause], { detached: true, stdio: 'ignore' })
  await once(outer, 'spawn')
  outer.unref()
  const holder = await firstChildOf(outer.pid as number)
  const { pid } = holder
  await inside(pid, 'sh', [
    '-ec',
    [
      // What containerd and the network plugins leave there goes with the namespace.
      'mount -t tmpfs tmpfs /run',
      // Of sidecars, which are nobody in particular; overlays/local knows whose.
      'mkdir --mode=1777 /run/tideshop-stock /run/tideshop-basket /run/tideshop-settings /run/tideshop-invoices',
      'ip link set lo up',
      'ip link add node0 type bridge',
      `ip address add ${NODE}/24 dev node0`,
      'ip link set node0 up',
      // There is no way out; a kubelet looks for one to find its node's address.
      'ip route add default dev node0',
      'sysctl -qw net.ipv4.ip_forward=1',
      // Otherwise the answer of a pod to its neighbour on the bridge bypasses the translation of the Service's address.
      'sysctl -qw net.bridge.bridge-nf-call-iptables=1',
    ].join('\n'),
  ])
  return holder
}

/** Runs a program in the space of this holder, to its end. */
export async function inside(holder: number, command: string, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('nsenter', [...entering(holder), command, ...args])
  return stdout
}

/**
 * Starts a program in the space of this holder that stays when this process ends. What it says is added to `log`; `ipc` opens a
 * channel to it.
 */
export function spawnInside(
  holder: number,
  [command, ...args]: [string, ...string[]],
  { log, ipc = false }: { log: string; ipc?: boolean },
): ChildProcess {
  const file = openSync(log, 'a')
  const child = spawn('nsenter', [...entering(holder), command, ...args], {
    detached: true,
    stdio: ['ignore', file, file, ...(ipc ? (['ipc'] as const) : [])],
  })
  closeSync(file)
  return child
}

/** What stands before a command that is to run in the space of this holder. */
export function leadingInto(holder: number): string[] {
  return ['nsenter', ...entering(holder)]
}

/** nsenter's arguments before a command. */
function entering(holder: number): string[] {
  return ['--target', String(holder), '--net', '--mount', '--pid', '--']
}

/** Ends all in there, and resolves when the kernel has. */
export async function closeSpace(holder: Identity): Promise<void> {
  if (isAlive(holder)) process.kill(holder.pid, 'SIGKILL')
  await until('the end of the cluster’s processes', GONE_WITHIN_MS, async () => !isAlive(holder))
  await removeGroups(KUBEPODS, SECOND_NODE.group)
}

async function firstChildOf(pid: number): Promise<Identity> {
  let child = 0
  await until('the process that holds the namespaces', GONE_WITHIN_MS, async () => {
    child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim())
    return child !== 0 && readFileSync(`/proc/${child}/comm`, 'utf8').trim() === 'pause'
  })
  return identityOf(child)
}
