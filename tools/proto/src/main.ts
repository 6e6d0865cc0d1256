import { breaks, generate, lint, publish } from './proto.ts'

/** `pnpm proto`: after a change of a .proto file. Refuses what would break who speaks it already. */
const against = (await lint()) + (await breaks())
if (against !== '') {
  console.error(against)
  process.exit(1)
}
await generate()
await publish()
