import { readArguments, root, runFolder } from './arguments.ts'
import { foreground } from './foreground.ts'
import { type LogLine, understand } from './log-lines.ts'
import { appIds, shopSteps, startShop } from './shop.ts'

const help = `pnpm start [options]: opens the shop on this machine, and closes it at Ctrl-C

  --port-offset N   add N to every port, for a second shop beside the first
  --fresh           begin with empty data
  --quiet           show no logs once the shop is open (warnings of the runner excepted)
  --help            this text

What already runs is used: KAFKA_BROKERS, MONGODB_URI, RABBITMQ_URL. What is missing is provided; without a RabbitMQ,
which no registry has, the shop opens without invoices.
Data and logs lie in .runtime/shop (with an offset in .runtime/shop-N).
Exit code: 0 when you closed it, 1 when it could not be opened.`

/** `pnpm start` */
async function main(): Promise<number> {
  const { portOffset, fresh, quiet, ...rest } = readArguments(process.argv.slice(2))
  if (rest.help) {
    console.log(help)
    return 0
  }
  const dir = runFolder(portOffset)
  const apps = new Set(appIds(root))
  let url = ''
  let closed: readonly string[] = []
  return foreground({
    what: 'the shop',
    dir,
    steps: shopSteps(root),
    start: async (wiring) => {
      const shop = await startShop({ ...wiring, root, dir, portOffset, keepData: !fresh, restart: true })
      url = shop.url
      closed = shop.closed
      return shop
    },
    welcome: (took) => welcome(url, took, closed),
    logWidth: Math.max(...[...apps].map((name) => name.length)),
    follows: (line) => !quiet && isWorthShowing(line, apps),
  })
}

/** Of an app what it tells, of the others what worries them. */
function isWorthShowing(line: LogLine, apps: Set<string>): boolean {
  const { level } = understand(line.text)
  if (level === 'warn' || level === 'error') return true
  return level === 'info' && apps.has(line.source)
}

/** The first two are typed into one shell: the second looks at what the first has asked for. */
function welcome(url: string, took: string, closed: readonly string[]): string {
  return `
  The shop is open: ${url}   (after ${took}; its contract: ${url}/docs)
${closed.map((why) => `  But not ${why}\n`).join('')}
  Try:  id=$(curl -s ${url}/operation/create/user-create -H 'content-type: application/json' -d '{"name":"hans"}' | tee /dev/stderr | cut -d'"' -f4)
        curl ${url}/operation/get/$id
        npx --yes pnpm@12 load postman saga --base-url ${url}
  Ctrl-C closes it.
`
}

process.exitCode = await main().catch((error: Error) => {
  console.error(error.message)
  return 1
})
// A child's pipe or a socket on its way out must not keep a closed shop's runner.
process.exit()
