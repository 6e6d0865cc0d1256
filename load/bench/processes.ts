import { readFileSync } from 'node:fs'
import type { Shop } from '@tideshop/run/shop'
import { BrokenRun } from './broken-run.ts'

/**
 * What the processes of a shop cost, read from /proc: processor time of all their threads, also of those that have
 * ended, in steps of 10 ms; and memory as it is resident. Pages that processes share count once for each.
 */

/** `load` is this process: it offers, watches and runs the bare loop. */
export const groups = ['app', 'sidecar', 'broker', 'database', 'load'] as const
export type Group = (typeof groups)[number]
export type PerGroup = Record<Group, number>

/** Since the processes began. */
export type Usage = { cpuSeconds: PerGroup; residentMb: PerGroup }

export type Member = { name: string; pid: number; group: Group }

/** Of Linux on every machine that Node runs on (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100
const KB_PER_MB = 1024

/** All processes of the shop that run here, and this one. A database that runs elsewhere costs nothing here. */
export function membersOf(shop: Shop): Member[] {
  const members = shop.processes().flatMap(({ name, pid }): Member[] => {
    return pid === null ? [] : [{ name, pid, group: groupOf(name) }]
  })
  return [...members, { name: 'the load', pid: process.pid, group: 'load' }]
}

/** `name` is that of the runner: `users`, `users/daprd`, `users-2`, `kafka`, `mongodb`. */
export function groupOf(name: string): Group {
  if (name.endsWith('/daprd')) return 'sidecar'
  if (name === 'kafka') return 'broker'
  return name === 'mongodb' ? 'database' : 'app'
}

/** Throws when one of them is gone: its share would be missing in silence. */
export function readUsage(members: readonly Member[]): Usage {
  const usage = { cpuSeconds: perGroup(() => 0), residentMb: perGroup(() => 0) }
  for (const { name, pid, group } of members) {
    try {
      usage.cpuSeconds[group] += ticksIn(readFileSync(`/proc/${pid}/stat`, 'utf8')) / TICKS_PER_SECOND
      usage.residentMb[group] += residentKbIn(readFileSync(`/proc/${pid}/status`, 'utf8')) / KB_PER_MB
    } catch (error) {
      throw new BrokenRun(`${name} (pid ${pid}) died, or this system has no /proc`, { cause: error })
    }
  }
  return usage
}

/** Clock ticks in user and in kernel mode: fields 14 and 15 of `/proc/<pid>/stat`. */
export function ticksIn(stat: string): number {
  // The second field is the program's name in parentheses and may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** `VmRSS` of `/proc/<pid>/status`; a process that is going has none. */
export function residentKbIn(status: string): number {
  const [, kb = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? []
  return Number(kb)
}

export function perGroup(of: (group: Group) => number): PerGroup {
  return Object.fromEntries(groups.map((group) => [group, of(group)])) as PerGroup
}

export function between(before: PerGroup, after: PerGroup): PerGroup {
  return perGroup((group) => after[group] - before[group])
}

export function sumOf(values: PerGroup): number {
  return groups.reduce((sum, group) => sum + values[group], 0)
}
