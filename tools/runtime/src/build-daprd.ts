import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildGo, type GoBuild, goCommand } from './build-go.ts'
import { runBuild } from './child.ts'

/*
 * Our daprd differs from the released one in how the Kafka component gathers a batch; go/dapr/kafka/gather.go says
 * why, docs/dapr-notes.md what was measured. The place to change is inside a package of another module, and Go lays
 * its overlays over no file of the module cache. So the build takes a copy of that module, changes one line of it,
 * adds our file, and points the copied go.mod to it. The copies lie in the folder that is being filled: a build that
 * is killed leaves them to the next one to delete.
 *
 * When this changes what daprd does, OURS counts on: the version tells one change from the next.
 */

const OURS = '-tideshop.1'

const CONTRIB = 'github.com/dapr/components-contrib'
const KAFKA = 'common/component/kafka'
const GATHER = 'kafka/gather.go'
const MODULE_FILES = ['go.mod', 'go.sum', 'main.go']

/** Relative to the module: they decide the result. */
export const DAPRD_SOURCES = ['main.go', GATHER]

const BRANCH = '\tif isBulkSubscribe {\n'
const FEED = '\t\treturn consumer.feed(session, claim, handlerConfig, b)\n'

/** The version of our daprd that is made from a released one. */
export function oursOf(version: string): string {
  return version + OURS
}

/** What its user should know of a daprd, whoever built it. */
export function kafkaNote(version: string): string {
  if (version.includes(OURS))
    return 'gathers one batch of Kafka messages from all partitions (docs/dapr-notes.md)'
  return 'gathers a batch per partition, as released: start with BATCH_WAIT_MS=500 (docs/dapr-notes.md)'
}

/** Builds `build.module` with our Kafka component. `folder` is for the copies, and is gone afterwards. */
export async function buildDaprd(build: GoBuild, folder: string): Promise<void> {
  try {
    await mkdir(folder)
    for (const file of MODULE_FILES) await copyFile(join(build.module, file), join(folder, file))
    const contrib = join(folder, 'contrib')
    await copyWritable(await fetchContrib({ ...build, module: folder }), contrib)

    const consumer = join(contrib, KAFKA, 'consumer.go')
    await writeFile(consumer, feedingBatches(await readFile(consumer, 'utf8')))
    await copyFile(join(build.module, GATHER), join(contrib, KAFKA, 'gather.go'))
    await writeFile(join(folder, 'go.mod'), `\nreplace ${CONTRIB} => ./contrib\n`, { flag: 'a' })
    await buildGo({ ...build, module: folder })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** consumer.go with its bulk branch left to `feed` of gather.go; what followed there is still compiled, never run. */
export function feedingBatches(consumer: string): string {
  const [before, after, ...more] = consumer.split(BRANCH)
  if (after === undefined || more.length > 0) {
    throw new Error(
      `components-contrib changed: look at ${KAFKA}/consumer.go, where "${BRANCH.trim()}" stood exactly once, ` +
        `and at ${GATHER}, which replaces what follows it`,
    )
  }
  return `${before}${BRANCH}${FEED}${after}`
}

/** The folder of the module cache with the version that go.mod asks for; its go.sum vouches for the content. */
async function fetchContrib({ module, env, onLine, signal }: GoBuild): Promise<string> {
  const go = { command: goCommand(env), cwd: module, env: { ...env, GOWORK: 'off' }, signal }
  await runBuild({ ...go, args: ['mod', 'download', CONTRIB], onLine })
  let folder = ''
  await runBuild({
    ...go,
    args: ['list', '-mod=readonly', '-m', '-f', '{{.Dir}}', CONTRIB],
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
