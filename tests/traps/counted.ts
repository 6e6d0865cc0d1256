import type { Ports } from '@tideshop/run/dapr-yaml'

/** What a sidecar has counted: the sum of all lines of a metric with these labels. */
export async function counted(
  { ports }: { ports: Ports },
  metric: string,
  labels: Record<string, string>,
): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${ports.metricsPort}/metrics`)
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith(`${metric}{`))
  const matching = lines.filter((line) =>
    Object.entries(labels).every(([name, value]) => line.includes(`${name}="${value}"`)),
  )
  return matching.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}
