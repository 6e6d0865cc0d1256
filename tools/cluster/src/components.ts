import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** As the files of a laptop say it. */
const LOCAL_BROKER = '127.0.0.1:19092'

const HEAD = `# Made from components/ by: node tools/cluster/src/write-components.ts
# A test holds the two together; what differs is where Kafka is.
`

/** The shop's Dapr components as Kubernetes gets them: the files of `folder`, with the broker's Service. */
export function clusterComponents(folder: string): string {
  const files = readdirSync(folder).toSorted()
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8'))
  return HEAD + texts.map((text) => text.replace(LOCAL_BROKER, 'kafka:9092')).join('---\n')
}
