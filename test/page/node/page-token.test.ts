import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PageTokenError, readPageToken } from '#xenlight/page/node/page-token.js'

t.test('a secret is made where there is none, for this user alone', t => {
  const file = join(t.testdir(), 'token')
  const token = readPageToken(file)
  t.match(token, /^[\w-]{43}$/)
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.equal(readPageToken(file), token, 'and stays')
  t.not(readPageToken(join(t.testdirName, 'other')), token)
  t.throws(() => readPageToken(join(t.testdirName, 'no', 'token')), { code: 'ENOENT' })
  t.end()
})

t.test('a secret that is given', t => {
  const folder = t.testdir()
  const write = (text: string, mode = 0o600) => {
    const file = join(folder, 'token')
    writeFileSync(file, text)
    chmodSync(file, mode)
    return file
  }
  const good = 'a-secret-of-32-characters-or-more'
  t.equal(readPageToken(write(`${good}\n`)), good)
  t.equal(readPageToken(write(good, 0o440)), good, 'as a service manager hands it out')
  const refused: [string, RegExp, number?][] = [
    ['', /too short/],
    ['x'.repeat(31), /too short/],
    ['x'.repeat(1025), /too long/],
    ['x'.repeat(1_000_000), /too long/],
    [`${good} ${good}`, /one word/],
    [`${good}\n${good}`, /one word/],
    [`${good}é`, /one word/],
    [good, /every user may open it/, 0o644],
  ]
  for (const [text, message, mode] of refused)
    t.throws(() => readPageToken(write(text, mode)), { name: PageTokenError.name, message })
  mkdirSync(join(folder, 'folder'))
  t.throws(() => readPageToken(join(folder, 'folder')), { message: 'it is no file' })
  symlinkSync(join(folder, 'nowhere'), join(folder, 'link'))
  t.throws(() => readPageToken(join(folder, 'link')), { code: 'EEXIST' }, 'nothing is made through a link')
  t.equal(readFileSync(write(good), 'utf8'), good)
  t.end()
})
