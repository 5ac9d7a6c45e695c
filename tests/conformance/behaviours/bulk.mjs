import { A, assert, B, behaviours, C, D, revision } from '../kit.mjs'

export const { list, it } = behaviours()

it('15. _revs_diff leaves out documents with nothing missing', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [B, A]), revision('y', [A]))
  const told = await server.ok('POST', `${db.at}/_revs_diff`, { x: [`2-${B}`, `1-${A}`], y: [`1-${A}`, `3-${C}`], z: [`1-${D}`] })
  assert.deepEqual(Object.keys(told).sort(), ['y', 'z'])
  assert.deepEqual(told.y, { missing: [`3-${C}`], possible_ancestors: [`1-${A}`] })
  assert.deepEqual(told.z, { missing: [`1-${D}`] })
}, { peer: 'it gives no possible_ancestors' })

it('15. _revs_diff of what is malformed is 400', async server => {
  const db = await server.db()
  for (const body of [[], { x: '1-a' }, { x: ['nonsense'] }, 'not json']) {
    assert.equal((await server.ask('POST', `${db.at}/_revs_diff`, body)).status, 400, JSON.stringify(body))
  }
}, { peer: 'it lets some through' })

it('16. _bulk_get gives _revisions with revs=true only', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [B, A], { n: 1 }))
  const body = { docs: [{ id: 'x', rev: `2-${B}` }] }
  const plain = (await server.ok('POST', `${db.at}/_bulk_get`, body)).results[0].docs[0].ok
  const full = (await server.ok('POST', `${db.at}/_bulk_get?revs=true`, body)).results[0].docs[0].ok
  assert.equal('_revisions' in plain, false)
  assert.deepEqual(full._revisions, { start: 2, ids: [B, A] })
  assert.equal(full.n, 1)
})

it('16. _bulk_get gives attachment data with attachments=true only', async server => {
  const db = await server.db()
  await server.ok('PUT', `${db.at}/x`, { _attachments: { f: { content_type: 'text/plain', data: 'aGk=' } } })
  const body = { docs: [{ id: 'x' }] }
  const plain = (await server.ok('POST', `${db.at}/_bulk_get`, body)).results[0].docs[0].ok
  const full = (await server.ok('POST', `${db.at}/_bulk_get?attachments=true`, body)).results[0].docs[0].ok
  assert.equal(plain._attachments.f.stub, true)
  assert.equal(full._attachments.f.data, 'aGk=')
})

it('16. _bulk_get latest=true gives the leaf', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [C, B, A]))
  const { results } = await server.ok('POST', `${db.at}/_bulk_get?latest=true`, { docs: [{ id: 'x', rev: `1-${A}` }] })
  assert.equal(results[0].docs[0].ok._rev, `3-${C}`)
})

it('16. every asked revision has a row, errors as rows', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [A]))
  const docs = [{ id: 'x', rev: `1-${A}` }, { id: 'x', rev: `9-${D}` }, { id: 'none', rev: `1-${A}` }, { id: 'x', rev: `1-${A}` }]
  const { results } = await server.ok('POST', `${db.at}/_bulk_get`, { docs })
  const rows = results.flatMap(result => result.docs.map(row => [result.id, row.ok?._rev ?? row.error.error]))
  assert.deepEqual(rows.sort(), [['none', 'not_found'], ['x', `1-${A}`], ['x', `1-${A}`], ['x', 'not_found']].sort())
}, { peer: 'it folds rows together' })

it('16. _bulk_get can answer in multipart', async server => {
  const db = await server.db()
  await server.ok('PUT', `${db.at}/x`, { _attachments: { f: { content_type: 'text/plain', data: 'aGk=' } } })
  const answer = await server.ask('POST', `${db.at}/_bulk_get?attachments=true`, { docs: [{ id: 'x' }, { id: 'none', rev: '1-a' }] }, { Accept: 'multipart/mixed' })
  assert.match(answer.headers.get('content-type'), /^multipart\/mixed/)
  assert.match(answer.text, /multipart\/related/)
  assert.match(answer.text, /\r\n\r\nhi\r\n/)
  assert.match(answer.text, /error="true"/)
}, { peer: 'it answers JSON' })

it('_all_docs by key, range and order', async server => {
  const db = await server.db()
  await server.graft(db, ...['a', 'b', 'c', 'd'].map(id => revision(id, [A])))
  const ids = async query => (await server.ok('GET', `${db.at}/_all_docs?${query}`)).rows.map(row => row.id).join('')
  assert.equal(await ids('startkey="b"&endkey="c"'), 'bc')
  assert.equal(await ids('startkey="b"&endkey="c"&inclusive_end=false'), 'b')
  assert.equal(await ids('descending=true&startkey="c"'), 'cba')
  assert.equal(await ids('skip=1&limit=2'), 'bc')
  assert.equal(await ids('key="b"'), 'b')
  assert.equal(await ids('startkey="b"&endkey={}'), 'bcd')
}, { peer: 'an endkey that is no text gives nothing' })

it('_all_docs with keys has a row for each, deleted and missing ones too', async server => {
  const db = await server.db()
  await server.graft(db, revision('a', [A]), revision('gone', [B, A], { _deleted: true }))
  const { rows } = await server.ok('POST', `${db.at}/_all_docs?include_docs=true`, { keys: ['gone', 'none', 'a', 'a'] })
  assert.deepEqual(rows.map(row => row.error ?? row.value.deleted ?? row.doc._id), [true, 'not_found', 'a', 'a'])
  assert.equal(rows[0].doc, null)
})
