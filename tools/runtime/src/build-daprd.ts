import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { buildGo, type GoBuild, goCommand } from './build-go.ts'
import { runBuild } from './child.ts'

/*
 * Our daprd differs from the released one in how the Kafka component gathers a batch (go/dapr/kafka/gather.go says why),
 * and in how long it waits until it asks a broker again that was away. docs/dapr-notes.md has what was measured.
 * Both are inside packages of other modules, and Go lays its overlays over no file of the module cache. So the build
 * takes a copy of each module, edits it, and points the copied go.mod to it. The copies lie in the folder that is
 * being filled: a build that is killed leaves them to the next one to delete.
 *
 * When this changes what daprd does, OURS counts on: the version tells one change from the next.
 */

const OURS = '-tideshop.3'

const GATHER = 'kafka/gather.go'
const MODULE_FILES = ['go.mod', 'go.sum', 'main.go']

/** Relative to the module: they decide the result. */
export const DAPRD_SOURCES = ['main.go', GATHER]

/** A text that stands in a file of another module so many times, and what is to stand there. */
export type Edit = { module: string; file: string; find: string; put: string; times: number }

const CONTRIB = 'github.com/dapr/components-contrib'
const KAFKA = 'common/component/kafka'
const BRANCH = '\tif isBulkSubscribe {\n'

/** The bulk branch is left to `feed` of gather.go; what follows there is still compiled, never run. */
export const feedBatches: Edit = {
  module: CONTRIB,
  file: `${KAFKA}/consumer.go`,
  find: BRANCH,
  put: `${BRANCH}\t\treturn consumer.feed(session, claim, handlerConfig, b)\n`,
  times: 1,
}

/**
 * The producer asks nobody for 10 s after three failures, so a broker that is back is not used for up to that long.
 * One second is as kind to the broker, and no bound of a publish depends on it.
 */
export const publishAgainSoon: Edit = {
  module: 'github.com/IBM/sarama',
  file: 'async_producer.go',
  find: 'breaker.New(3, 1, 10*time.Second)',
  put: 'breaker.New(3, 1, time.Second)',
  times: 2,
}

const NEW_CONFIG = '\tconfig := sarama.NewConfig()\n'

/** A consumer sleeps 2 s before it joins its group again or reads on, at each rebalance and each outage. */
export const hearAgainSoon: Edit = {
  module: CONTRIB,
  file: `${KAFKA}/kafka.go`,
  find: NEW_CONFIG,
  put: `${NEW_CONFIG}\tconfig.Consumer.Group.Rebalance.Retry.Backoff = 200 * time.Millisecond
\tconfig.Consumer.Group.Rebalance.Retry.Max = 40
\tconfig.Consumer.Retry.Backoff = 200 * time.Millisecond\n`,
  times: 1,
}

const edits = [feedBatches, hearAgainSoon, publishAgainSoon]

/** The version of our daprd that is made from a released one. */
export function oursOf(version: string): string {
  return version + OURS
}

/** What its user should know of a daprd, whoever built it. */
export function kafkaNote(version: string): string {
  if (version.includes(OURS))
    return 'gathers one batch of Kafka messages from all partitions, and is soon back after the broker (docs/dapr-notes.md)'
  return 'gathers a batch per partition, as released: start with BATCH_WAIT_MS=500 (docs/dapr-notes.md)'
}

/** Builds `build.module` with our edits. `folder` is for the copies, and is gone afterwards. */
export async function buildDaprd(build: GoBuild, folder: string): Promise<void> {
  try {
    await mkdir(folder)
    for (const file of MODULE_FILES) await copyFile(join(build.module, file), join(folder, file))
    const copies = { ...build, module: folder }
    for (const module of new Set(edits.map((edit) => edit.module))) {
      const copy = await editedCopy(copies, module)
      if (module === CONTRIB) await copyFile(join(build.module, GATHER), join(copy, KAFKA, 'gather.go'))
    }
    await buildGo(copies)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Returns the folder of the copy, which the build will use instead of the module. */
async function editedCopy(build: GoBuild, module: string): Promise<string> {
  const name = basename(module)
  const copy = join(build.module, name)
  await copyWritable(await fetchModule(build, module), copy)
  for (const edit of edits.filter((one) => one.module === module)) {
    const file = join(copy, edit.file)
    await writeFile(file, edited(await readFile(file, 'utf8'), edit))
  }
  await writeFile(join(build.module, 'go.mod'), `\nreplace ${module} => ./${name}\n`, { flag: 'a' })
  return copy
}

export function edited(source: string, { module, file, find, put, times }: Edit): string {
  const parts = source.split(find)
  if (parts.length === times + 1) return parts.join(put)
  throw new Error(
    `${module} changed: look at its ${file}, where ${JSON.stringify(find)} stood ${times} times, ` +
      'and at tools/runtime/src/build-daprd.ts, which edits it',
  )
}

/** The folder of the module cache with the version that go.mod asks for; its go.sum vouches for the content. */
export async function fetchModule(
  { module, env, onLine, signal }: Omit<GoBuild, 'target' | 'flags' | 'output'>,
  name: string,
): Promise<string> {
  const go = { command: goCommand(env), cwd: module, env: { ...env, GOWORK: 'off' }, signal }
  await runBuild({ ...go, args: ['mod', 'download', name], onLine })
  let folder = ''
  await runBuild({
    ...go,
    args: ['list', '-mod=readonly', '-m', '-f', '{{.Dir}}', name],
    onLine: (line) => {
      folder = line
    },
  })
  return folder
}

/** With modes of their own: the module cache is read-only, and what keeps its modes cannot be changed or deleted. */
async function copyWritable(from: string, to: string): Promise<void> {
  await mkdir(to)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) await copyWritable(source, target)
    else await writeFile(target, await readFile(source))
  }
}
