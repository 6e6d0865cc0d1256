import { parseArgs } from 'node:util'
import { askFirst, discard } from './discard.ts'
import { type Kafka, kafkaAt } from './kafka.ts'
import { allTopics, knownTopic, type Lying, lettersAbout, openPlaces, payloadOf, waiting } from './letters.ts'
import { redrive } from './redrive.ts'
import { describeWhole, find, readPlace, type Sought } from './show.ts'

/** Where `pnpm start` has its broker. */
const DEFAULT_HOST = '127.0.0.1'
const DEFAULT_PORT = 19092
const DEFAULT_BROKERS = `${DEFAULT_HOST}:${DEFAULT_PORT}`
/** Characters of a payload in the list. */
const PREVIEW_MAX = 160

const help = `pnpm dead <command>   messages that no service could handle

  list [topic]            those that wait, with the reason; of every topic without one
  show <topic> <place>    one of them whole; <place> is <partition>/<offset> as the list prints it
  redrive <topic>         puts them back into their topic, where they are tried again
  discard <topic>         ticks them off without putting them back; asks first. They stay in <topic>.dead
                          until its retention (four weeks), where show still finds them

  --brokers LIST    host:port, comma-separated (default: KAFKA_BROKERS, else ${DEFAULT_BROKERS})
  --json            list: one JSON document per line
  --raw             show: the payload's exact bytes and nothing else
  --yes             discard: does not ask`

type KafkaError = Error & { code?: string }

type Values = ReturnType<typeof readArguments>['values']
type Work = (kafka: Kafka) => Promise<void>

/** The work of each command, from what was typed behind its name; null when something is missing. */
const commands: Record<string, (values: Values, topic?: string, place?: string) => Work | null> = {
  list({ json }, topic) {
    const topics = topic === undefined ? allTopics() : [knownTopic(topic)]
    return (kafka) => list(kafka, topics, json)
  },
  show({ raw }, topic, place) {
    if (topic === undefined || place === undefined) return null
    const [known, sought] = [knownTopic(topic), readPlace(place)]
    return (kafka) => show(kafka, known, sought, raw)
  },
  redrive(_, topic) {
    if (topic === undefined) return null
    const known = knownTopic(topic)
    return (kafka) => putBack(kafka, known)
  },
  discard({ yes }, topic) {
    if (topic === undefined) return null
    const known = knownTopic(topic)
    return (kafka) => giveUp(kafka, known, yes)
  },
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments()
  const [command, topic, place] = positionals
  if (values.help || command === undefined) return say(help)

  const work = Object.hasOwn(commands, command) ? commands[command]?.(values, topic, place) : null
  if (!work) throw new Error(`cannot do: ${positionals.join(' ')}\n\n${help}`)
  await withKafka(values.brokers, work)
}

function readArguments() {
  return parseArgs({
    allowPositionals: true,
    options: {
      brokers: { type: 'string', default: process.env['KAFKA_BROKERS'] ?? DEFAULT_BROKERS },
      json: { type: 'boolean', default: false },
      raw: { type: 'boolean', default: false },
      yes: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
}

async function withKafka(brokers: string, work: Work): Promise<void> {
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
    const range = await waiting(kafka, topic)
    const open = await openPlaces(kafka, topic, range)
    for await (const lying of lettersAbout(kafka, topic, range, open)) {
      count += 1
      say(json ? JSON.stringify({ time: lying.time, ...lying.letter }) : describe(lying))
    }
  }
  if (!json) say(count === 0 ? 'nothing waits' : `${count} wait: ${whatToDo}`)
}

const whatToDo = `pnpm dead redrive <topic> puts them back, pnpm dead show <topic> <partition>/<offset> shows one
whole, pnpm dead discard <topic> ticks them off`

function describe({ time, letter }: Lying): string {
  const { topic, partition, offset, key, listener, reason, payload } = letter
  const text = payload === null ? '(too large to show)' : Buffer.from(payload, 'base64').toString('utf8')
  const where = `${topic} ${partition}/${offset} · ${time} · not handled by ${listener} · key ${key ?? 'none'}`
  return `${where}\n  reason:  ${reason}\n  payload: ${JSON.stringify(text.slice(0, PREVIEW_MAX))}\n`
}

async function show(kafka: Kafka, topic: string, sought: Sought, raw: boolean): Promise<void> {
  const sighted = await find(kafka, topic, sought)
  const payload = await payloadOf(kafka, sighted.letter)
  if (raw) process.stdout.write(payload)
  else say(describeWhole(sighted, payload))
}

async function putBack(kafka: Kafka, topic: string): Promise<void> {
  const count = await redrive(kafka, topic, (done, of) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${done}/${of}`)
  })
  say(`${count} put back into ${topic}`)
}

async function giveUp(kafka: Kafka, topic: string, yes: boolean): Promise<void> {
  const count = await discard(kafka, topic, async (waits) => {
    return yes || (await askFirst(`Discard ${waits} that wait in ${topic}.dead?`))
  })
  say(
    count === 0 ? 'nothing discarded' : `${count} discarded; they stay in ${topic}.dead until its retention`,
  )
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
