/** The memory that oidc-provider has for development, which its types leave out. */
declare module 'oidc-provider/lib/adapters/memory_adapter.js' {
  import type { AdapterFactory } from 'oidc-provider'

  /** `clockToleranceS`: how long what has expired is kept. */
  export function createMemoryAdapter(clockToleranceS?: number): AdapterFactory
}
