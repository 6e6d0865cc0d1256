import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { withMetadata } from '@tideshop/run/render'

const HEAD = `# Made from components/ by: node tools/cluster/src/write-components.ts
# A test holds the two together; what differs is where Kafka is.
`

/** The shop's Dapr components as Kubernetes gets them: the files of `folder`, with the broker's Service. */
export function clusterComponents(folder: string): string {
  const files = readdirSync(folder).toSorted()
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8'))
  return HEAD + texts.map((text) => withMetadata(text, { brokers: 'kafka:9092' })).join('---\n')
}
