import { existsSync, readFileSync } from 'node:fs'
import type { Shop } from '@tideshop/run/shop'

const KB_PER_MB = 1024

/**
 * What the shop holds in memory, by kind of process; null where the system has no /proc. Pages that processes
 * share, the code of daprd above all, count once for each, so the sum is more than a machine must have.
 */
export function tellMemory(shop: Shop): string | null {
  if (!existsSync('/proc/self/status')) return null
  const kinds = new Map<string, number[]>()
  for (const { name, pid } of shop.processes()) {
    if (pid !== null) kinds.set(kindOf(name), [...(kinds.get(kindOf(name)) ?? []), residentMb(pid)])
  }
  const told = [...kinds].map(([kind, each]) => `${kind} ${Math.round(sum(each))} (${each.length})`)
  return `memory    ${Math.round(sum([...kinds.values()].flat()))} MB resident: ${told.join(' · ')}`
}

function kindOf(name: string): string {
  if (name.endsWith('/daprd')) return 'sidecars'
  return name === 'kafka' || name === 'mongodb' ? name : 'services'
}

function residentMb(pid: number): number {
  const [, kb] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kb) / KB_PER_MB
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
