import { expect, test } from 'vitest'
import { permissions, permissionsOf, rolesIn } from './permissions.ts'

test('an administrator may everything, a customer nothing beyond, and support what it needs', () => {
  expect([...permissionsOf(['admin'])]).toEqual([...permissions])
  expect([...permissionsOf(['customer'])]).toEqual([])
  expect(permissionsOf(['support']).has('orders:advance')).toBe(true)
  expect(permissionsOf(['support']).has('catalog:write')).toBe(false)
})

test.each(['root', '', 'constructor', '__proto__', 'Admin', 'admin '])('%j is no role of ours', (role) => {
  expect([...permissionsOf([role])]).toEqual([])
})

test.each<[string, object, string[]]>([
  ['roles', { roles: ['admin', 'x'] }, ['admin', 'x']],
  ['roles', { roles: 'admin' }, ['admin']],
  ['roles', { roles: ['admin', 1, null, ['y']] }, ['admin']],
  ['roles', { roles: { admin: true } }, []],
  ['roles', {}, []],
  ['realm_access.roles', { realm_access: { roles: ['support'] } }, ['support']],
  ['realm_access.roles', { realm_access: 'roles' }, []],
  ['https://shop.example/roles', { 'https://shop.example/roles': ['admin'] }, ['admin']],
  ['constructor.name', {}, []],
])('the claim %s of %j has the roles %j', (claim, claims, roles) => {
  expect(rolesIn({ ...claims }, claim)).toEqual(roles)
})
