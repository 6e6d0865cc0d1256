import type { Channel, JsonSchema } from './channels.ts'

/** docs/events.md: for people who want to know who says what to whom. */
export function eventsPage(channels: readonly Channel[]): string {
  const [quarantines, said] = [channels.filter(isQuarantine), channels.filter((one) => !isQuarantine(one))]
  return `${[
    '<!-- Made of contracts/ by `pnpm events`: change it there. -->',
    '# What the services say to each other',
    'On Kafka each topic has one speaker and one listener, and one component of its own (decision 4). A message is a CloudEvents 1.0 envelope whose `subject` is the id of what it is about and also the key of the record, so what is said about one thing stays in order. The same fact said again carries the same `id`. In RabbitMQ a message is the JSON document itself. docs/asyncapi.yaml says the same for tools.',
    table(['channel', 'told by', 'heard by', 'what'], said.map(overviewRow)),
    ...said.map(section),
    '## Quarantines',
    'What can never be handled is put aside here with its reason, byte for byte, and waits for an operator: docs/operations.md. jobs hears the topics, for the table at the door.',
    table(
      ['channel', 'filled by'],
      quarantines.map(({ name, tellers }) => [code(name), tellers.join(', ')]),
    ),
    ...quarantines.slice(0, 1).flatMap(({ schema, reply }) => [fieldsOf(schema), replyTo(reply)]),
  ].join('\n\n')}\n`
}

function replyTo(reply: Channel['reply']): string {
  if (reply === undefined) return ''
  const { type, summary, schema, tellers } = reply
  return `Behind it stands what became of it, as ${code(type)} for the first of them, told by ${tellers.join(' or ')}. ${summary}\n\n${fieldsOf(schema)}`
}

function isQuarantine({ name }: Channel): boolean {
  return name.endsWith('.dead')
}

function overviewRow({ name, server, tellers, listener, summary }: Channel): string[] {
  const place = server === 'kafka' ? `[${name}](#${name})` : `[${name}](#${name}) (RabbitMQ)`
  return [place, tellers.join(', '), listener ?? 'whoever likes', summary]
}

function section({ name, type, schema }: Channel): string {
  const variants = schema.oneOf ?? schema.anyOf
  const fields = variants === undefined ? fieldsOf(schema) : variants.map(variantOf).join('\n\n')
  return [`## ${name}`, `Type ${code(type)}.`, fields].join('\n\n')
}

/** One of several shapes: told apart by the field that has one value only. */
function variantOf(schema: JsonSchema): string {
  const [name, mark] =
    Object.entries(schema.properties ?? {}).find(([, { const: only }]) => only !== undefined) ?? []
  const title = mark === undefined ? [] : [`**${name}: ${mark.const}**`]
  const words = schema.description === undefined ? [] : [schema.description]
  return [...title, ...words, fieldsOf(schema, name)].join('\n\n')
}

function fieldsOf(schema: JsonSchema, without?: string): string {
  const rows = Object.entries(schema.properties ?? {})
    .filter(([name]) => name !== without)
    .flatMap(([name, property]) => rowsOf(name, property, isRequired(schema, name)))
  return table(['field', 'type', 'meaning'], rows)
}

/** A field, and below it those of what it holds. */
function rowsOf(name: string, property: JsonSchema, required: boolean): string[][] {
  const row = [code(required ? name : `${name}?`), typeOf(property), property.description ?? '']
  const held = property.items ?? property
  const prefix = property.items === undefined ? name : `${name}[]`
  const below = Object.entries(held.properties ?? {}).flatMap(([inner, one]) =>
    rowsOf(`${prefix}.${inner}`, one, isRequired(held, inner)),
  )
  return [row, ...below]
}

function isRequired({ required = [] }: JsonSchema, name: string): boolean {
  return required.includes(name)
}

function typeOf({ type, const: only, enum: some, format, items }: JsonSchema): string {
  if (only !== undefined) return code(JSON.stringify(only))
  if (some !== undefined) return some.map((one) => code(JSON.stringify(one))).join(' or ')
  if (items !== undefined) return `list of ${items.properties === undefined ? typeOf(items) : 'objects'}`
  return format ?? [type ?? 'any'].flat().join(' or ')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows]
  return lines
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')
}

function code(text: string): string {
  return `\`${text}\``
}
