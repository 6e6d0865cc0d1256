/** `dapr` is the command line tool, the others are what it starts, or would. */
export type PartName = BuildablePart | 'rabbitmq'

/** What the package registries give. RabbitMQ is in none that we reach, but in Debian and Homebrew. */
export type BuildablePart = 'daprd' | 'placement' | 'scheduler' | 'kafka' | 'mongodb' | 'prometheus' | 'dapr'

export const PARTS: PartName[] = [
  'daprd',
  'placement',
  'scheduler',
  'kafka',
  'mongodb',
  'rabbitmq',
  'prometheus',
  'dapr',
]

/** Something that runs elsewhere: the environment says where. */
export type Remote = { part: PartName; kind: 'remote'; address: string; origin: string }

/** Something to start here: the caller runs `command`, `args` and then its own arguments. */
export type Program = {
  part: PartName
  kind: 'program'
  command: string
  args: string[]
  version: string
  origin: string
  /** Only of mongodb: `embedded` takes `<port> [<file>]`, `mongod` its own options. */
  dialect?: 'embedded' | 'mongod'
}

/** Where a part comes from and how to run it. */
export type Provided = Remote | Program

/** What a look-up finds. `ignored` tells what was there and why it is not taken. */
export type Located = { ignored: string[] } & (
  | { part: PartName; state: 'found'; provided: Provided }
  /** Can be provided, by what and in what time, e.g. "built from its Go module, about 5 minutes, once". */
  | { part: BuildablePart; state: 'buildable'; version: string; how: string }
  /** Cannot be had: what is lacking, one sentence each. */
  | { part: PartName; state: 'missing'; lacks: string[] }
)
