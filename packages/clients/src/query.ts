/** What stands behind the `?`, with it; nothing for what is undefined. */
export function queryOf(wanted: object): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(wanted)) {
    if (value !== undefined) query.append(name, String(value))
  }
  return query.size === 0 ? '' : `?${query}`
}
