import type { Kind } from '../checks/finding.ts'

/**
 * Bugs that people make in shops like this, one of each kind that the shop must not have. Each is one text of one file
 * with another in its place, so that the code itself knows nothing of it; plant.ts puts it there.
 */
export type Bug = {
  name: string
  /** From the repository's root. */
  file: string
  /** Occurs exactly once in the file; a unit test holds that, or a refactoring could disarm the bug. */
  find: string
  put: string
  /** What the ledger should call what comes of it; any of these is enough, anything else was found for a wrong reason. */
  calledFor: readonly Kind[]
}

export const bugs = [
  {
    name: 'acknowledge before write',
    file: 'packages/kit/src/inbox.ts',
    find: 'response.json({ statuses: await receive(parts, subscription, entries) })',
    put: `response.json({ statuses: entries.map(({ entryId }) => ({ entryId, status: 'SUCCESS' })) })
        await receive(parts, subscription, entries)`,
    calledFor: ['stuck', 'lost'],
  },
  {
    name: 'publish before write',
    file: 'services/operations/src/app.ts',
    find: 'const standing = await operations.createAll(begun, now())',
    put: `await parts.bus.publish(begun.map(({ tell }) => tell))
  const standing = await operations.createAll(begun, now())`,
    calledFor: ['causeless'],
  },
  {
    name: 'no dedupe',
    file: 'services/users/src/user.ts',
    find: 'if (current === null) {',
    // A user is made for each time that one is asked for.
    put: '{',
    calledFor: ['doubled', 'changed'],
  },
  {
    name: 'no unique key',
    file: 'services/operations/src/store.ts',
    find: "name: 'key', unique: true, sparse: true",
    put: "name: 'key', sparse: true",
    calledFor: ['doubled'],
  },
  {
    name: 'no version guard',
    file: 'packages/kit/src/mongo.ts',
    find: 'filter: { _id: id, version: was } as never',
    put: 'filter: { _id: id } as never',
    calledFor: ['changed', 'doubled'],
  },
  {
    name: 'no sweep',
    file: 'services/operations/src/main.ts',
    find: 'work: (stop) => outbox.sweep(stop),',
    put: '',
    calledFor: ['untold', 'stuck'],
  },
] as const satisfies readonly Bug[]

export type BugName = (typeof bugs)[number]['name']

export function bugNamed(name: string | undefined): Bug & { name: BugName } {
  const bug = bugs.find((one) => one.name === name)
  if (bug !== undefined) return bug
  throw new Error(`there is no bug "${name}"; there are ${bugs.map((one) => one.name).join(', ')}`)
}

/** The source with the bug in it. Throws when it would be another than was meant, or none. */
export function withBug({ name, file, find, put }: Bug, source: string): string {
  const [before, after, ...more] = source.split(find)
  if (before !== undefined && after !== undefined && more.length === 0) return before + put + after
  const times = after === undefined ? 0 : more.length + 1
  throw new Error(
    `the bug "${name}" cannot be planted: ${file} has its place ${times} times, not once: ${find}`,
  )
}

/** Tells a service's process which bug it has. */
export const BUG_VARIABLE = 'TIDESHOP_TEST_BUG'

/** What a process says that has it, so that a run can see that it does not look for what is not there. */
export function plantedLine({ name, file }: Bug): string {
  return `the bug "${name}" is planted in ${file}`
}
