import { expect, test } from 'vitest'
import { assortment } from './assortment.ts'
import { drawGood } from './picture.ts'

test('every good has a picture of its own', () => {
  const pictures = assortment.map(({ id, body }) => drawGood({ sku: id, ...body }))
  expect(new Set(pictures).size).toBe(assortment.length)
  for (const picture of pictures)
    expect(picture).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[\s\S]*<\/svg>\n$/)
})

test('a name is text, whatever stands in it', () => {
  const name = '</title><script>alert(1)</script> & "more"'
  const picture = drawGood({ sku: 'ODD-1', name, category: 'a shelf that came later', tint: '#336699' })
  expect(picture).toContain('&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; "more"')
  expect(picture).not.toContain('<script>')
})
