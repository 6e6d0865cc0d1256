import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandLine, commandFile, pidFile } from './daemon.ts'
import type { Place } from './place.ts'
import { holderOf } from './record.ts'
import { inside, spawnInside } from './space.ts'
import { until } from './until.ts'

/** What runs beside Kubernetes and may be killed to see what becomes of the shop. */
export const PARTS = ['kafka', 'mongodb', 'prometheus'] as const
export type ClusterPart = (typeof PARTS)[number]

const GONE_WITHIN_MS = 10_000

/** As a crash does it: SIGKILL. Resolves when it is gone. `name` is that of any daemon of the cluster. */
export async function killPart(place: Place, name: string): Promise<void> {
  const holder = holderOf(place).pid
  const pid = readFileSync(place.file(pidFile(name)), 'utf8').trim()
  await inside(holder, 'kill', ['-KILL', pid])
  const isGone = () =>
    inside(holder, 'kill', ['-0', pid]).then(
      () => false,
      () => true,
    )
  await until(`the end of ${name}`, GONE_WITHIN_MS, isGone)
}

/** With the data that it had. Does not wait until it is ready: whoever needs it will see. */
export function startPart(place: Place, name: ClusterPart): void {
  startBeside(place, name, JSON.parse(readFileSync(place.file(commandFile(name)), 'utf8')) as CommandLine)
}

/** A daemon of a cluster that runs already. Ends with it. `group` is a file of a control group that it is to belong to, with all it starts. */
export function startBeside(
  place: Place,
  name: string,
  { command, args }: CommandLine,
  group = '/dev/null',
): void {
  // The shell knows its own process by the number of the cluster's namespace, and becomes the program. 0: itself.
  const become = 'echo $$ > "$0"; echo 0 > "$1"; shift; exec "$@"'
  const program = ['sh', '-ec', become, place.file(pidFile(name)), group, command, ...args] as const
  spawnInside(holderOf(place).pid, [...program], { log: join(place.logs, `${name}.log`) }).unref()
}
