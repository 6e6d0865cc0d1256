import { parseArgs } from 'node:util'
import { type Kafka, kafkaAt } from './kafka.ts'
import { allTopics, knownTopic, type Waiting, waitingLetters } from './letters.ts'
import { redrive } from './redrive.ts'

/** Where `pnpm start` has its broker. */
const DEFAULT_HOST = '127.0.0.1'
const DEFAULT_PORT = 19092
const DEFAULT_BROKERS = `${DEFAULT_HOST}:${DEFAULT_PORT}`
/** Characters of a payload in the list. */
const PREVIEW_MAX = 160

const help = `pnpm dead <command>   messages that no service could handle

  list [topic]      those that wait, with the reason; of every topic without one
  redrive <topic>   puts them back into their topic, where they are tried again

  --brokers LIST    host:port, comma-separated (default: KAFKA_BROKERS, else ${DEFAULT_BROKERS})
  --json            list: one JSON document per line`

type KafkaError = Error & { code?: string }

async function main(): Promise<void> {
  const { values, positionals } = readArguments()
  const [command, topic] = positionals
  if (values.help || command === undefined) return say(help)

  if (command === 'list') {
    const topics = topic === undefined ? allTopics() : [knownTopic(topic)]
    await withKafka(values.brokers, (kafka) => list(kafka, topics, values.json))
  } else if (command === 'redrive' && topic !== undefined) {
    const known = knownTopic(topic)
    await withKafka(values.brokers, (kafka) => putBack(kafka, known))
  } else throw new Error(`cannot do: ${positionals.join(' ')}\n\n${help}`)
}

function readArguments() {
  return parseArgs({
    allowPositionals: true,
    options: {
      brokers: { type: 'string', default: process.env['KAFKA_BROKERS'] ?? DEFAULT_BROKERS },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
}

async function withKafka(brokers: string, work: (kafka: Kafka) => Promise<void>): Promise<void> {
  const kafka = kafkaAt(brokers)
  try {
    await work(kafka)
  } catch (error) {
    throw isUnreachable(error as KafkaError) ? new Error(nobodyAt(brokers)) : error
  } finally {
    await kafka.close()
  }
}

function isUnreachable({ code }: KafkaError): boolean {
  return code === 'PLT_KFK_NETWORK' || code === 'PLT_KFK_MULTIPLE'
}

/** The port is the only thing that a shop with an offset does not tell, so it is told here. */
function nobodyAt(brokers: string): string {
  return `no Kafka answers at ${brokers}: is the shop open? (pnpm start)
A shop with --port-offset N has its Kafka at port ${DEFAULT_PORT} + N: pnpm dead … --brokers ${DEFAULT_HOST}:<port>`
}

async function list(kafka: Kafka, topics: string[], json: boolean): Promise<void> {
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

async function putBack(kafka: Kafka, topic: string): Promise<void> {
  const count = await redrive(kafka, topic, (done, of) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${done}/${of}`)
  })
  say(`${count} put back into ${topic}`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
