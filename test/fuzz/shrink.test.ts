import t from 'tap'
import { shrink } from './shrink.js'

t.test('what is left fails and has nothing to spare', async t => {
  const cases: [string[], (words: readonly string[]) => boolean, string[]][] = [
    [['raw:/dev/x,hda', 'w=', 'z'], words => words.some(word => word.includes('=')), ['=']],
    [['a,b,c,d,e,f,g'], words => (words[0] ?? '').split(',').length > 4, [',,,,']],
    [['x'.repeat(1000)], words => (words[0] ?? '').length >= 100, ['x'.repeat(100)]],
    [['a', 'b'], words => words.length === 2, ['', '']],
    [['a'], () => true, []],
  ]
  for (const [words, fails, smallest] of cases)
    t.strictSame(await shrink(words, async candidate => fails(candidate)), smallest)
})
