import { A, assert, B, behaviours, C, PouchDB, revision } from '../kit.mjs'

export const { list, it } = behaviours()

const TEXT = { 'Content-Type': 'text/plain' }

it('22. stubs carry digest, length, revpos and stub', async server => {
  const db = await server.db()
  await server.ok('PUT', `${db.at}/x`, { _attachments: { f: { content_type: 'text/plain', data: 'aGVsbG8=' } } })
  const { f } = (await server.ok('GET', `${db.at}/x`))._attachments
  assert.deepEqual({ ...f, digest: f.digest.slice(0, 4) }, { content_type: 'text/plain', digest: 'md5-', length: 5, revpos: 1, stub: true })
})

it('22. with data there is no stub and no length', async server => {
  const db = await server.db()
  await server.ok('PUT', `${db.at}/x`, { _attachments: { f: { content_type: 'text/plain', data: 'aGVsbG8=' } } })
  const { f } = (await server.ok('GET', `${db.at}/x?attachments=true`))._attachments
  assert.deepEqual(Object.keys(f).sort(), ['content_type', 'data', 'digest', 'revpos'])
  assert.equal(f.data, 'aGVsbG8=')
})

it('22. revpos survives edits and replication', async server => {
  const db = await server.db()
  const one = await server.ok('PUT', `${db.at}/x`, { _attachments: { f: { content_type: 'text/plain', data: 'aGk=' } } })
  const two = await server.ok('PUT', `${db.at}/x`, { _rev: one.rev, n: 2, _attachments: { f: { stub: true } } })
  assert.equal((await server.ok('GET', `${db.at}/x`))._attachments.f.revpos, 1)
  const asked = { docs: [{ id: 'x', rev: two.rev }] }
  const { results } = await server.ok('POST', `${db.at}/_bulk_get?revs=true&attachments=true`, asked)
  const back = await server.db()
  await server.graft(back, results[0].docs[0].ok)
  const doc = await server.ok('GET', `${back.at}/x`)
  assert.equal(doc._rev, two.rev)
  assert.equal(doc._attachments.f.revpos, 1)
  assert.equal((await server.ask('GET', `${back.at}/x/f`)).text, 'hi')
}, { peer: 'it wants a digest in the stub' })

it('23. a stub for an attachment that is not there is 412, also with new_edits=false', async server => {
  const db = await server.db()
  const _attachments = { f: { stub: true, digest: 'md5-xxxxxxxxxxxxxxxxxxxxxx==', length: 1, revpos: 1, content_type: 'a/b' } }
  assert.equal((await server.ask('PUT', `${db.at}/x`, { _attachments })).status, 412)
  const docs = [revision('x', [A], { _attachments })]
  assert.equal((await server.ask('POST', `${db.at}/_bulk_docs`, { docs, new_edits: false })).status, 412)
  assert.equal((await server.ok('GET', db.at)).doc_count, 0)
})

it('24. Content-Type comes back exactly as put', async server => {
  const db = await server.db()
  const { rev } = await server.ok('PUT', `${db.at}/x`, {})
  for (const [n, kind] of ['text/plain', 'text/plain; charset=utf-8', 'image/x-odd;q=1'].entries()) {
    const before = (await server.ok('GET', `${db.at}/x`))._rev
    await server.ok('PUT', `${db.at}/x/f${n}?rev=${before}`, 'hi', { 'Content-Type': kind })
    const answer = await server.ask('GET', `${db.at}/x/f${n}`)
    assert.equal(answer.headers.get('content-type'), kind)
    assert.equal(answer.text, 'hi')
  }
  assert.ok(rev)
})

it('24. PUT /db/newdoc/att makes the document', async server => {
  const db = await server.db()
  const told = await server.ok('PUT', `${db.at}/fresh/f.txt`, 'hi', TEXT)
  assert.match(told.rev, /^1-/)
  assert.equal((await server.ok('GET', `${db.at}/fresh`))._attachments['f.txt'].length, 2)
})

it('24. ?rev= reads that revision\'s attachment', async server => {
  const db = await server.db()
  const one = await server.ok('PUT', `${db.at}/x/f`, 'one', TEXT)
  const two = await server.ok('PUT', `${db.at}/x/f?rev=${one.rev}`, 'two', TEXT)
  await server.ok('DELETE', `${db.at}/x/f?rev=${two.rev}`)
  assert.equal((await server.ask('GET', `${db.at}/x/f?rev=${one.rev}`)).text, 'one')
  assert.equal((await server.ask('GET', `${db.at}/x/f?rev=${two.rev}`)).text, 'two')
  assert.equal(await server.fails('GET', `${db.at}/x/f`), '404 not_found')
})

it('24. names of attachments may hold slashes, raw and encoded', async server => {
  const db = await server.db()
  await server.ok('PUT', `${db.at}/x/a/b%2Fc.txt`, 'hi', TEXT)
  assert.equal((await server.ask('GET', `${db.at}/x/a%2Fb/c.txt`)).text, 'hi')
  assert.ok('a/b/c.txt' in (await server.ok('GET', `${db.at}/x`))._attachments)
})

it('25. multipart/related with follows', async server => {
  const db = await server.db()
  const doc = { _attachments: { one: { follows: true, content_type: 'text/plain', length: 5 }, two: { follows: true, content_type: 'a/b', length: 4 } } }
  const body = ['--XX', 'Content-Type: application/json', '', JSON.stringify(doc), '--XX', '', 'hello', '--XX', 'Content-Disposition: attachment; filename="two"', '', '\r\n\r\n', '--XX--'].join('\r\n')
  await server.ok('PUT', `${db.at}/x`, body, { 'Content-Type': 'multipart/related;boundary="XX"' })
  assert.equal((await server.ask('GET', `${db.at}/x/one`)).text, 'hello')
  assert.equal((await server.ask('GET', `${db.at}/x/two`)).text, '\r\n\r\n')
}, { peer: 'it never answers where a part has a name' })

it('25. multipart reads, and atts_since leaves out what the peer has', async server => {
  const db = await server.db()
  const one = await server.ok('PUT', `${db.at}/x/old`, 'old bytes', TEXT)
  const two = await server.ok('PUT', `${db.at}/x/new?rev=${one.rev}`, 'new bytes', TEXT)
  const since = encodeURIComponent(JSON.stringify([one.rev]))
  const asked = encodeURIComponent(JSON.stringify([two.rev]))
  const answer = await server.ask('GET', `${db.at}/x?open_revs=${asked}&atts_since=${since}&revs=true`, undefined, { Accept: 'multipart/mixed' })
  assert.match(answer.text, /new bytes/)
  assert.doesNotMatch(answer.text, /old bytes/)
  assert.match(answer.text, /"follows":true/)
  assert.match(answer.text, /"stub":true/)
}, { peer: 'it has no multipart reads' })

it('25. ranges', async server => {
  const db = await server.db()
  await server.ok('PUT', `${db.at}/x/f`, '0123456789', { 'Content-Type': 'application/octet-stream' })
  const part = async range => {
    const answer = await server.ask('GET', `${db.at}/x/f`, undefined, { Range: range })
    return `${answer.status} ${answer.headers.get('content-range')} ${answer.status < 300 ? answer.text : ''}`.trim()
  }
  assert.equal(await part('bytes=2-4'), '206 bytes 2-4/10 234')
  assert.equal(await part('bytes=7-'), '206 bytes 7-9/10 789')
  assert.equal(await part('bytes=-2'), '206 bytes 8-9/10 89')
  assert.match(await part('bytes=20-30'), /^416/)
  assert.match(await part('bytes=-0'), /^416/)
}, { peer: 'it has none' })

it('attachments replicate with conflicts, and stay apart', async server => {
  const db = await server.db()
  const file = text => ({ f: { content_type: 'text/plain', data: Buffer.from(text).toString('base64') } })
  await server.graft(db, revision('x', [B, A], { _attachments: file('left') }), revision('x', [C, A], { _attachments: file('right') }))
  const here = new PouchDB(`apart-${db.name}`, { adapter: 'memory' })
  await here.replicate.from(db.pouch)
  assert.equal((await here.getAttachment('x', 'f', { rev: `2-${B}` })).toString(), 'left')
  assert.equal((await here.getAttachment('x', 'f', { rev: `2-${C}` })).toString(), 'right')
  await here.destroy()
})
