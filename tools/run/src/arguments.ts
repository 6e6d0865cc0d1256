import path from 'node:path'
import { parseArgs } from 'node:util'

/** The repository: this file lies in tools/run/src. */
export const root = path.resolve(import.meta.dirname, '../../..')

const portOffsetMax = 9000

export type Arguments = { help: boolean; portOffset: number; fresh: boolean; quiet: boolean }

/** Throws with a sentence for whoever typed. */
export function readArguments(args: string[]): Arguments {
  const { values } = parseArgs({
    // npm needs `--` before the options of a script, pnpm hands it on: who is used to one types it for the other.
    args: args[0] === '--' ? args.slice(1) : args,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      'port-offset': { type: 'string', default: '0' },
      fresh: { type: 'boolean', default: false },
      quiet: { type: 'boolean', default: false },
    },
  })
  const portOffset = Number(values['port-offset'])
  if (!Number.isInteger(portOffset) || portOffset < 0 || portOffset > portOffsetMax) {
    throw new Error(`--port-offset must be a whole number from 0 to ${portOffsetMax}`)
  }
  return { help: values.help, portOffset, fresh: values.fresh, quiet: values.quiet }
}

/** The folder of a shop in the foreground; one with a port offset lives beside the first. */
export function runFolder(portOffset: number): string {
  return path.join(root, '.runtime', portOffset === 0 ? 'shop' : `shop-${portOffset}`)
}
