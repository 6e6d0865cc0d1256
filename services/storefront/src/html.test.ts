import fc from 'fast-check'
import { type DefaultTreeAdapterTypes, parseFragment } from 'parse5'
import { expect, test } from 'vitest'
import { html } from './html.ts'

type Node = DefaultTreeAdapterTypes.ChildNode

/** Letters, and what markup is made of, more often than chance would bring it. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '<',
        '>',
        '"',
        "'",
        '&',
        '/',
        '=',
        '`',
        '<!--',
        ']]>',
        '</p>',
        '&lt;',
        '<script>',
        '\n',
      ),
      // What no document can hold, escaped or not: a parser drops it or puts a sign in its place.
      fc.string({ unit: 'grapheme' }).filter((signs) => !/[\0\r]|\p{Cs}/u.test(signs)),
    ),
  )
  .map((parts) => parts.join(''))

test('whatever is filled in comes out as the text that it was, in a text as in an attribute', () => {
  fc.assert(
    fc.property(text, text, (inside, attribute) => {
      const nodes: Node[] = parseFragment(html`<p title="${attribute}">${inside}</p>`.text).childNodes
      expect(nodes).toHaveLength(1)
      const [paragraph] = nodes
      expect(paragraph).toMatchObject({ nodeName: 'p', attrs: [{ name: 'title', value: attribute }] })
      const written = paragraph !== undefined && 'childNodes' in paragraph ? paragraph.childNodes : []
      expect(written.map((node) => ('value' in node ? node.value : node.nodeName))).toEqual(
        inside === '' ? [] : [inside],
      )
    }),
    { numRuns: 2000 },
  )
})

test('markup stays markup, lists follow each other, and what is not there leaves nothing', () => {
  const names = ['a', 'b<'].map((name) => html`<li>${name}</li>`)
  expect(html`<ul>${names}${false}${undefined}${0}</ul>`.text).toBe('<ul><li>a</li><li>b&#60;</li>0</ul>')
})
