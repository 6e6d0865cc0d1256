import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { until } from './until.ts'

/*
 * Control groups, by which the kernel knows what belongs to a node: version 1 has a tree for each controller, version 2 one in all.
 */

const ROOT = '/sys/fs/cgroup'
/** Of a kubelet's pods, below the group that it was given. */
export const KUBEPODS = 'kubepods'
/** Of what starts a node's pods: version 2 wants no process in a group that has groups. */
const DAEMONS = 'daemons'
/** A removal can come a moment too early for the kernel. */
const REMOVED_WITHIN_MS = 10_000

/** Whether a kubelet keeps its pods in the group that all have by default. */
export function hasPods(): boolean {
  return foldersOf(KUBEPODS).length > 0
}

/** For a node, and within it one for its daemons: returns the file into which each of those writes itself. */
export function makeNodeGroup(group: string): string {
  for (const tree of trees()) mkdirSync(join(tree, group), { recursive: true })
  const daemons = join(listing(), group, DAEMONS)
  mkdirSync(daemons, { recursive: true })
  return join(daemons, 'cgroup.procs')
}

/** Kills whatever is in it or beneath. */
export function killGroup(group: string): void {
  for (const pid of processesIn(join(listing(), group))) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** Resolves when none of them is there; nothing may run in them any more. */
export async function removeGroups(...groups: string[]): Promise<void> {
  await until('the removal of control groups', REMOVED_WITHIN_MS, async () => {
    for (const folder of groups.flatMap(foldersOf)) remove(folder)
    return groups.flatMap(foldersOf).length === 0
  })
}

function trees(): string[] {
  if (isVersion2()) return [ROOT]
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(ROOT, name))
}

/** The tree in which the processes of a node are found. */
function listing(): string {
  return isVersion2() ? ROOT : join(ROOT, 'pids')
}

function isVersion2(): boolean {
  return existsSync(join(ROOT, 'cgroup.controllers'))
}

function foldersOf(group: string): string[] {
  return trees()
    .map((tree) => join(tree, group))
    .filter(existsSync)
}

function processesIn(folder: string): number[] {
  if (!existsSync(folder)) return []
  const own = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
  return [...own, ...groupsIn(folder).flatMap(processesIn)]
}

/** A control group is a folder without files that could be deleted: only removed from the leaves up. */
function remove(folder: string): void {
  for (const group of groupsIn(folder)) remove(group)
  try {
    rmdirSync(folder)
  } catch (error) {
    // Its last process is still leaving; the next look will find it.
    if (!['EBUSY', 'ENOENT'].includes(String((error as NodeJS.ErrnoException).code))) throw error
  }
}

function groupsIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name))
}
