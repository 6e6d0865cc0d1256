import { PARTITIONS } from '@tideshop/contracts/topics'
import { stringify } from 'yaml'
import type { Channel } from './channels.ts'

/** The shop's channels as an AsyncAPI document. Source: https://www.asyncapi.com/docs/reference/specification/v3.0.0 */

const servers = {
  kafka: { host: 'kafka:9092', protocol: 'kafka', description: 'Through each service’s Dapr sidecar' },
  rabbitmq: { host: 'rabbitmq:5672', protocol: 'amqp', description: 'Through Dapr bindings' },
}

/** Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md */
const cloudEvent = {
  type: 'object',
  required: ['specversion', 'id', 'source', 'type', 'subject', 'time', 'data'],
  properties: {
    specversion: { const: '1.0' },
    id: {
      type: 'string',
      description: 'With `source` unique: a repeat of the same fact carries the same one',
    },
    source: { type: 'string', description: 'App-id of the speaker' },
    type: { type: 'string' },
    subject: { type: 'string', description: 'Of the aggregate it is about; also the key of the record' },
    time: { type: 'string', format: 'date-time' },
    traceparent: { type: 'string', description: 'W3C trace context of what caused it' },
    data: {},
  },
}

export function asyncApi(channels: readonly Channel[]): string {
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'Tideshop',
      version: '1.0.0',
      description: 'What the services of the shop say to each other, made of contracts/ by `pnpm events`.',
    },
    defaultContentType: 'application/json',
    servers,
    channels: byKey(channels, (channel) => channelOf(channel)),
    operations: Object.fromEntries(channels.flatMap(operationsOf)),
    components: {
      schemas: { CloudEvent: cloudEvent },
      messages: Object.fromEntries(channels.flatMap(messagesOf)),
    },
  }
  return `# Made of contracts/ by \`pnpm events\`.\n${stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })}`
}

function channelOf(channel: Channel) {
  const { name, server, summary } = channel
  const partitions = name.endsWith('.dead') ? 1 : PARTITIONS
  return {
    address: name,
    summary,
    servers: [{ $ref: `#/servers/${server}` }],
    messages: Object.fromEntries(
      messagesOf(channel).map(([key]) => [key, { $ref: `#/components/messages/${key}` }]),
    ),
    bindings:
      server === 'kafka'
        ? { kafka: { topic: name, partitions, bindingVersion: '0.5.0' } }
        : { amqp: { is: 'queue', queue: { name, durable: true }, bindingVersion: '0.3.0' } },
  }
}

function messagesOf(channel: Channel): [string, object][] {
  const { name, reply } = channel
  const message: [string, object] = [keyOf(name), messageOf(channel)]
  if (reply === undefined) return [message]
  return [message, [`${keyOf(name)}-settled`, messageOf({ ...channel, ...reply })]]
}

function messageOf({ name, server, tellers, type, summary, schema }: Channel) {
  const source = tellers.length === 1 ? { const: tellers[0] } : { enum: tellers }
  const event = {
    allOf: [
      { $ref: '#/components/schemas/CloudEvent' },
      { properties: { source, type: { const: type }, data: schema } },
    ],
  }
  return {
    name: type,
    title: name,
    summary,
    payload: server === 'kafka' ? event : schema,
  }
}

function operationsOf({ name, tellers, listener }: Channel): [string, object][] {
  const channel = { $ref: `#/channels/${keyOf(name)}` }
  const told = tellers.map((teller): [string, object] => [
    `${teller}.tells.${keyOf(name)}`,
    { action: 'send', channel, tags: [{ name: teller }] },
  ])
  if (listener === null) return told
  return [
    ...told,
    [`${listener}.hears.${keyOf(name)}`, { action: 'receive', channel, tags: [{ name: listener }] }],
  ]
}

function byKey(channels: readonly Channel[], of: (channel: Channel) => object): Record<string, object> {
  return Object.fromEntries(channels.map((channel) => [keyOf(channel.name), of(channel)]))
}

/** A `$ref` reads a `.` as it is, but many a tool does not. */
function keyOf(name: string): string {
  return name.replaceAll('.', '-')
}
