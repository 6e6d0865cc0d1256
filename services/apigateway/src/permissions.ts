/** What each role may do at the door beyond what everybody may. The issuer says who has which role; here stands what it means. */

export const permissions = [
  'catalog:write',
  'stock:read',
  'stock:deliver',
  'orders:read-all',
  'orders:advance',
  'reports:read',
  'failures:read',
  'failures:settle',
  'settings:write',
] as const
export type Permission = (typeof permissions)[number]

/** A role of which nothing stands here is one of somebody else's, and allows nothing. */
const rolePermissions = new Map<string, readonly Permission[]>([
  ['customer', []],
  ['support', ['stock:read', 'orders:read-all', 'orders:advance', 'reports:read', 'failures:read']],
  ['admin', permissions],
])

export function permissionsOf(roles: readonly string[]): ReadonlySet<Permission> {
  return new Set(roles.flatMap((role) => rolePermissions.get(role) ?? []))
}

/** The roles in a claim, by its name, or by its way down: `realm_access.roles`. Anything but texts is no role. */
export function rolesIn(claims: Readonly<Record<string, unknown>>, claim: string): string[] {
  const found = Object.hasOwn(claims, claim) ? claims[claim] : claim.split('.').reduce(step, claims)
  const roles = typeof found === 'string' ? [found] : found
  return Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : []
}

function step(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}
