import { parseArgs } from 'node:util'
import { kafkaAt } from './kafka.ts'
import { allTopics, knownTopic, type Waiting, waitingLetters } from './letters.ts'
import { redrive } from './redrive.ts'

/** Where `pnpm start` has its broker. */
const DEFAULT_BROKERS = '127.0.0.1:19092'
/** Characters of a payload in the list. */
const PREVIEW_MAX = 160

const help = `pnpm dead <command>   messages that no service could handle

  list [topic]      those that wait, with the reason; of every topic without one
  redrive <topic>   puts them back into their topic, where they are tried again

  --brokers LIST    host:port, comma-separated (default: KAFKA_BROKERS, else ${DEFAULT_BROKERS})
  --json            list: one JSON document per line`

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      brokers: { type: 'string', default: process.env['KAFKA_BROKERS'] ?? DEFAULT_BROKERS },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const [command, topic] = positionals
  if (values.help || command === undefined) return say(help)

  const kafka = kafkaAt(values.brokers)
  try {
    if (command === 'list')
      await list(kafka, topic === undefined ? allTopics() : [knownTopic(topic)], values.json)
    else if (command === 'redrive' && topic !== undefined) await putBack(kafka, knownTopic(topic))
    else throw new Error(`cannot do: ${positionals.join(' ')}\n\n${help}`)
  } finally {
    await kafka.close()
  }
}

async function list(kafka: ReturnType<typeof kafkaAt>, topics: string[], json: boolean): Promise<void> {
  let count = 0
  for (const topic of topics) {
    for (const waiting of await waitingLetters(kafka, topic)) {
      count += 1
      say(json ? JSON.stringify({ time: waiting.time, ...waiting.letter }) : describe(waiting))
    }
  }
  if (!json) say(count === 0 ? 'nothing waits' : `${count} wait: pnpm dead redrive <topic> puts them back`)
}

function describe({ time, letter }: Waiting): string {
  const { topic, partition, offset, key, listener, reason, payload } = letter
  const text = payload === null ? '(too large to show)' : Buffer.from(payload, 'base64').toString('utf8')
  const where = `${topic} ${partition}/${offset} · ${time} · not handled by ${listener} · key ${key ?? 'none'}`
  return `${where}\n  reason:  ${reason}\n  payload: ${JSON.stringify(text.slice(0, PREVIEW_MAX))}\n`
}

async function putBack(kafka: ReturnType<typeof kafkaAt>, topic: string): Promise<void> {
  const count = await redrive(kafka, topic, (done, of) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${done}/${of}`)
  })
  say(`${count} put back into ${topic}`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

main().catch((error: Error & { code?: string }) => {
  const unreachable = error.code === 'PLT_KFK_NETWORK' || error.code === 'PLT_KFK_MULTIPLE'
  process.stderr.write(
    `${unreachable ? `no Kafka answers: is the shop open? (pnpm start)\n${error.message}` : error.message}\n`,
  )
  process.exitCode = 1
})
