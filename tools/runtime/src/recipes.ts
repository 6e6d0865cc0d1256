import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildDaprd, DAPRD_SOURCES, oursOf } from './build-daprd.ts'
import { buildGo } from './build-go.ts'
import { buildJava } from './build-java.ts'
import type { BuildContext } from './child.ts'
import type { BuildablePart } from './part.ts'
import type { ToolName } from './tools.ts'

const GO_DAPR = folder('../go/dapr/')
const GO_DAPR_CLI = folder('../go/dapr-cli/')
export const GO_PROMETHEUS = folder('../go/prometheus/')
const JAVA = folder('../java/')

export const DAPR = '1.18.2'

/** The newest whose modules are all served; it starts a daprd of 1.18 as well (tests/slow/dapr-cli.test.ts). */
const DAPR_CLI = '1.16.5'
const DAPR_CLI_FLAGS = [`-ldflags=-s -w -X main.version=${DAPR_CLI}`]

/** Prometheus 3.13.5 is v0.313.5 as a Go module. */
export const PROMETHEUS = '3.13.5'
const PROMETHEUS_FLAGS = [
  // No service discovery but by file and static: half the size, a third of the time.
  '-tags=remove_all_sd,netgo,slicelabels',
  `-ldflags=-s -w -X github.com/prometheus/common/version.Version=${PROMETHEUS}`,
]

/**
 * Measured with two cores: C2 pays off under load, G1 does not with so few threads and so small a heap.
 * Kafka's own scripts would also ask for a gigabyte.
 */
export const KAFKA_JVM = [
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:+ExitOnOutOfMemoryError',
  `-Dlog4j2.configurationFile=${JAVA}log4j2.properties`,
]
const MONGODB_JVM = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:+ExitOnOutOfMemoryError']
const MONGODB_SOURCES = ['EmbeddedMongo.java', 'Backend.java', 'Database.java', 'Bson.java', 'Turns.java']

/** How a part is provided from the package registries. */
export type Recipe = {
  version: string
  /** Files that decide the result, as do `flags`. */
  files: string[]
  flags: string[]
  /** To build it; `java` is needed to run it as well. */
  tools: ToolName[]
  how: string
  fill: (folder: string, context: BuildContext) => Promise<void>
  /** What to run, in the folder that `fill` filled. */
  program: (folder: string, java: string) => { command: string; args: string[] }
}

export const RECIPES: Record<BuildablePart, Recipe> = {
  daprd: daprdRecipe(),
  placement: goRecipe(
    'placement',
    DAPR,
    GO_DAPR,
    [],
    'github.com/dapr/dapr/cmd/placement',
    daprFlags(DAPR),
    'about a minute',
  ),
  scheduler: goRecipe(
    'scheduler',
    DAPR,
    GO_DAPR,
    [],
    'github.com/dapr/dapr/cmd/scheduler',
    daprFlags(DAPR),
    'about a minute',
  ),
  prometheus: goRecipe(
    'prometheus',
    PROMETHEUS,
    GO_PROMETHEUS,
    [],
    'github.com/prometheus/prometheus/cmd/prometheus',
    PROMETHEUS_FLAGS,
    'about 2 minutes',
  ),
  dapr: goRecipe('dapr', DAPR_CLI, GO_DAPR_CLI, [], 'github.com/dapr/cli', DAPR_CLI_FLAGS, 'about 5 minutes'),
  kafka: {
    version: '4.3.1',
    files: [`${JAVA}pom.xml`],
    flags: [],
    tools: ['java', 'mvn'],
    how: 'fetched from Maven Central, about 20 seconds',
    fill: (folder, context) =>
      buildJava({ project: JAVA, profile: 'kafka', sources: [], folder, ...context }),
    program: (folder, java) => ({ command: java, args: [...KAFKA_JVM, '-cp', `${folder}/jars/*`] }),
  },
  mongodb: {
    version: 'mongo-java-server 1.47.0',
    files: ['pom.xml', ...MONGODB_SOURCES].map((file) => `${JAVA}${file}`),
    flags: [],
    tools: ['java', 'javac', 'mvn'],
    how: 'fetched from Maven Central, about 10 seconds',
    fill: (folder, context) =>
      buildJava({ project: JAVA, profile: 'mongodb', sources: MONGODB_SOURCES, folder, ...context }),
    program: (folder, java) => ({
      command: java,
      args: [
        ...MONGODB_JVM,
        '-cp',
        [`${folder}/classes`, `${folder}/jars/*`].join(delimiter),
        'EmbeddedMongo',
      ],
    }),
  },
}

function daprdRecipe(): Recipe {
  const version = oursOf(DAPR)
  const flags = daprFlags(version)
  return {
    ...goRecipe('daprd', version, GO_DAPR, DAPRD_SOURCES, '.', flags, 'about 5 minutes'),
    fill: (folder, context) => {
      const build = { module: GO_DAPR, target: '.', flags, output: `${folder}/daprd`, ...context }
      return buildDaprd(build, `${folder}/source`)
    },
  }
}

export function daprFlags(version: string): string[] {
  return [
    // Without a tag that chooses components daprd panics at start.
    '-tags=stablecomponents',
    `-ldflags=-s -w -X github.com/dapr/dapr/pkg/buildinfo.version=${version}`,
  ]
}

function goRecipe(
  part: BuildablePart,
  version: string,
  module: string,
  sources: string[],
  target: string,
  flags: string[],
  time: string,
): Recipe {
  return {
    version,
    files: ['go.mod', 'go.sum', ...sources].map((file) => `${module}${file}`),
    flags: [target, ...flags],
    tools: ['go'],
    how: `built from its Go module, ${time}`,
    fill: (folder, context) => buildGo({ module, target, flags, output: `${folder}/${part}`, ...context }),
    program: (folder) => ({ command: `${folder}/${part}`, args: [] }),
  }
}

function folder(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url))
}
