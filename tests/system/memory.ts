import { existsSync, readFileSync } from 'node:fs'
import type { Shop } from '@tideshop/run/shop'

const KB_PER_MB = 1024

/** What the shop needs of memory, by kind of process; null where the system does not tell. */
export function tellMemory(shop: Shop): string | null {
  if (!canBeMeasured()) return null
  const kinds = new Map<string, number[]>()
  for (const { name, pid } of shop.processes()) {
    if (pid !== null) kinds.set(kindOf(name), [...(kinds.get(kindOf(name)) ?? []), neededMb(pid)])
  }
  const told = [...kinds].map(([kind, each]) => `${kind} ${Math.round(sum(each))} (${each.length})`)
  return `memory    ${Math.round(sum([...kinds.values()].flat()))} MB: ${told.join(' · ')}`
}

export function canBeMeasured(): boolean {
  return existsSync('/proc/self/smaps_rollup')
}

/**
 * The proportional set size. A page that several processes share, as the code of Node and of daprd, counts for each in part, so
 * that the sum over the shop is what a machine must have for it.
 */
export function neededMb(pid: number): number {
  const [, kb] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? []
  return Number(kb) / KB_PER_MB
}

function kindOf(name: string): string {
  if (name.endsWith('/daprd')) return 'sidecars'
  return name === 'kafka' || name === 'mongodb' ? name : 'services'
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
