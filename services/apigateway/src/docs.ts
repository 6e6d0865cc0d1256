import { fileURLToPath } from 'node:url'

/** Folder of the reader's scripts and styles. Resolved, not imported: the package's entry loads the whole bundle. */
export const docsAssets = fileURLToPath(new URL('.', import.meta.resolve('swagger-ui-dist/package.json')))

/** The contract to read and to try, at `GET /docs`. */
export const docsPage = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Tideshop · API</title>
    <link rel="stylesheet" href="/docs/assets/swagger-ui.css">
  </head>
  <body>
    <div id="api"></div>
    <script src="/docs/assets/swagger-ui-bundle.js"></script>
    <script>SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api' })</script>
  </body>
</html>
`
