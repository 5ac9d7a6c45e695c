import { A, assert, B, behaviours, C, D, revision } from '../kit.mjs'

export const { list, it } = behaviours()

const conflict = { error: 'conflict', reason: 'Document update conflict.' }

it('6. several revisions of one id in one batch are all kept', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [B, A]), revision('x', [C, A]), revision('x', [D]))
  const rows = await server.ok('GET', `${db.at}/x?open_revs=all`)
  assert.deepEqual(rows.map(row => row.ok._rev).sort(), [`1-${D}`, `2-${B}`, `2-${C}`])
})

it('6. new_edits=false without a revision is an error of the whole batch', async server => {
  const db = await server.db()
  const docs = [revision('good', [A]), { _id: 'bad' }]
  assert.equal(await server.fails('POST', `${db.at}/_bulk_docs`, { docs, new_edits: false }), '400 bad_request')
  assert.equal((await server.ok('GET', db.at)).doc_count, 0)
})

it('6. new_edits=false answers 201 and rows for errors only', async server => {
  const db = await server.db()
  const answer = await server.ask('POST', `${db.at}/_bulk_docs`, { docs: [revision('x', [A])], new_edits: false })
  assert.equal(answer.status, 201)
  assert.deepEqual(answer.json, [])
})

it('6. ancestors unknown so far are grafted with _revisions', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [A]))
  await server.graft(db, revision('x', [C, B, A]))
  const doc = await server.ok('GET', `${db.at}/x?revs=true&conflicts=true`)
  assert.deepEqual(doc._revisions, { start: 3, ids: [C, B, A] })
  assert.equal('_conflicts' in doc, false)
})

it('6. PUT with new_edits=false keeps the revision', async server => {
  const db = await server.db()
  const told = await server.ok('PUT', `${db.at}/x?new_edits=false`, revision('x', [B, A]))
  assert.equal(told.rev, `2-${B}`)
  assert.equal((await server.ok('GET', `${db.at}/x`))._rev, `2-${B}`)
}, { peer: 'it answers without a revision' })

it('7. the same id twice in a batch: the first wins, the second is a conflict row, the answer 201', async server => {
  const db = await server.db()
  const docs = [{ _id: 'x', n: 1 }, { _id: 'y' }, { _id: 'x', n: 2 }]
  const answer = await server.ask('POST', `${db.at}/_bulk_docs`, { docs })
  assert.equal(answer.status, 201)
  const [one, two, three] = answer.json
  assert.deepEqual([one.id, two.id, three.id], ['x', 'y', 'x'])
  assert.ok(one.rev && two.rev)
  assert.equal(three.error, conflict.error)
  assert.equal((await server.ok('GET', `${db.at}/x`)).n, 1)
})

it('7. a deletion and a new document of the same id in one batch: the deletion wins', async server => {
  const db = await server.db()
  const { rev } = await server.ok('PUT', `${db.at}/x`, { n: 1 })
  const docs = [{ _id: 'x', _rev: rev, _deleted: true }, { _id: 'x', n: 2 }]
  const rows = await server.ok('POST', `${db.at}/_bulk_docs`, { docs })
  assert.deepEqual(rows.map(row => row.error ?? row.ok), [true, 'conflict'])
  assert.equal(await server.fails('GET', `${db.at}/x`), '404 not_found')
}, { peer: 'it edits one after the other' })

it('7. an id that starts with _ or is no string fails the whole batch', async server => {
  const db = await server.db()
  for (const id of ['_x', 1, null, true, {}, '']) {
    const answer = await server.ask('POST', `${db.at}/_bulk_docs`, { docs: [{ _id: 'good' }, { _id: id }] })
    assert.equal(answer.status, 400, JSON.stringify(id))
  }
  assert.equal((await server.ok('GET', db.at)).doc_count, 0)
}, { peer: 'some of them become rows, or crash it' })

it('7. a _rev for a document that is not there is 409', async server => {
  const db = await server.db()
  assert.equal(await server.fails('PUT', `${db.at}/x`, { _rev: `1-${A}` }), '409 conflict')
  const [row] = await server.ok('POST', `${db.at}/_bulk_docs`, { docs: [{ _id: 'x', _rev: `1-${A}` }] })
  assert.equal(row.error, 'conflict')
})

it('7. a document without an id gets one', async server => {
  const db = await server.db()
  const told = await server.ok('POST', db.at, { n: 1 })
  assert.equal((await server.ok('GET', `${db.at}/${told.id}`)).n, 1)
  const [row] = await server.ok('POST', `${db.at}/_bulk_docs`, { docs: [{ n: 2 }] })
  assert.ok(row.id.length > 10)
})

it('8. unknown special fields are refused, the few of replication are not', async server => {
  const db = await server.db()
  assert.equal(await server.fails('PUT', `${db.at}/x`, { _zing: 1 }), '400 doc_validation')
  assert.equal(await server.fails('POST', `${db.at}/_bulk_docs`, { docs: [{ _zing: 1 }] }), '400 doc_validation')
  const told = await server.ok('POST', db.at, { _replication_id: 'r', _replication_state: 's', _replication_state_time: 1, _replication_stats: {} })
  assert.equal((await server.ok('GET', `${db.at}/${told.id}`))._replication_state, 's')
}, { peer: 'its status is 500 for one of the two' })

it('9. ?rev= reads old and deleted revisions', async server => {
  const db = await server.db()
  const one = await server.ok('PUT', `${db.at}/x`, { n: 1 })
  const two = await server.ok('PUT', `${db.at}/x?rev=${one.rev}`, { n: 2 })
  const gone = await server.ok('DELETE', `${db.at}/x?rev=${two.rev}`)
  assert.equal((await server.ok('GET', `${db.at}/x?rev=${one.rev}`)).n, 1)
  assert.equal((await server.ok('GET', `${db.at}/x?rev=${gone.rev}`))._deleted, true)
})

it('9. a 404 says missing or deleted', async server => {
  const db = await server.db()
  const { rev } = await server.ok('PUT', `${db.at}/x`, {})
  await server.ok('DELETE', `${db.at}/x?rev=${rev}`)
  assert.equal((await server.ask('GET', `${db.at}/x`)).json.reason, 'deleted')
  assert.equal((await server.ask('GET', `${db.at}/y`)).json.reason, 'missing')
  assert.equal((await server.ask('GET', `${db.at}/x?rev=7-${A}`)).json.reason, 'missing')
}, { peer: 'it says missing for both' })

it('9. revs_info says available, missing or deleted', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [B, A], { _deleted: true }))
  const told = await server.ok('PUT', `${db.at}/x`, { back: true })
  const { _revs_info: info } = await server.ok('GET', `${db.at}/x?revs_info=true`)
  assert.deepEqual(info, [
    { rev: told.rev, status: 'available' }, { rev: `2-${B}`, status: 'deleted' }, { rev: `1-${A}`, status: 'missing' }
  ])
}, { peer: 'it says available for what was deleted' })

it('9. a deleted document can be written again without a revision', async server => {
  const db = await server.db()
  const { rev } = await server.ok('PUT', `${db.at}/x`, {})
  await server.ok('DELETE', `${db.at}/x?rev=${rev}`)
  const back = await server.ok('PUT', `${db.at}/x`, { back: true })
  assert.match(back.rev, /^3-/)
})

it('10. open_revs with Accept: application/json is an array', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [B, A]), revision('x', [C, A]))
  const asked = JSON.stringify([`2-${B}`, `9-${D}`])
  const rows = await server.ok('GET', `${db.at}/x?open_revs=${encodeURIComponent(asked)}&revs=true`)
  assert.deepEqual(rows.find(row => row.missing), { missing: `9-${D}` })
  assert.deepEqual(rows.find(row => row.ok).ok._revisions, { start: 2, ids: [B, A] })
})

it('10. open_revs is multipart/mixed otherwise', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [B, A]))
  const answer = await server.ask('GET', `${db.at}/x?open_revs=all`, undefined, { Accept: '*/*' })
  assert.match(answer.headers.get('content-type'), /^multipart\/mixed; ?boundary=/)
  assert.ok(answer.text.includes(`"_rev":"2-${B}"`))
}, { peer: 'it answers JSON' })

it('10. malformed open_revs are 400', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [A]))
  for (const asked of ['nonsense', '["1-a","keys"]', '{"a":1}']) {
    assert.equal(await server.fails('GET', `${db.at}/x?open_revs=${encodeURIComponent(asked)}`), '400 bad_request', asked)
  }
}, { peer: 'some are 500' })

it('10. latest=true gives leaves, each once', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [C, B, A]), revision('x', [D, B, A]))
  const asked = encodeURIComponent(JSON.stringify([`1-${A}`, `2-${B}`]))
  const rows = await server.ok('GET', `${db.at}/x?open_revs=${asked}&latest=true`)
  assert.deepEqual(rows.map(row => row.ok._rev).sort(), [`3-${C}`, `3-${D}`])
}, { peer: 'it gives them twice' })

it('12. grafting commutes and repeats without effect', async server => {
  const edits = [revision('x', [C, B, A]), revision('x', [D, A]), revision('x', [B, A]), revision('x', [A]), revision('x', [A, D, A], { _deleted: true })]
  const trees = []
  for (const order of [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3, 2, 0]]) {
    const db = await server.db()
    for (const n of order) await server.graft(db, edits[n])
    const rows = await server.ok('GET', `${db.at}/x?open_revs=all&revs=true`)
    trees.push(rows.map(row => JSON.stringify([row.ok._rev, row.ok._deleted ?? false, row.ok._revisions])).sort())
  }
  assert.deepEqual(trees[1], trees[0])
  assert.deepEqual(trees[2], trees[0])
})

it('ETag, If-None-Match and If-Match carry the revision', async server => {
  const db = await server.db()
  const { rev } = await server.ok('PUT', `${db.at}/x`, { n: 1 })
  const read = await server.ask('GET', `${db.at}/x`)
  assert.equal(read.headers.get('etag'), `"${rev}"`)
  assert.equal((await server.ask('GET', `${db.at}/x`, undefined, { 'If-None-Match': `"${rev}"` })).status, 304)
  assert.equal((await server.ask('HEAD', `${db.at}/x`)).headers.get('etag'), `"${rev}"`)
  assert.match((await server.ok('PUT', `${db.at}/x`, { n: 2 }, { 'If-Match': rev })).rev, /^2-/)
  assert.equal(await server.fails('PUT', `${db.at}/x`, { n: 3 }, { 'If-Match': rev }), '409 conflict')
}, { peer: 'it has no If-Match for documents' })

it('revisions in the body and in the query that differ are 400', async server => {
  const db = await server.db()
  const { rev } = await server.ok('PUT', `${db.at}/x`, {})
  assert.equal(await server.fails('PUT', `${db.at}/x?rev=${rev}`, { _rev: `1-${A}` }), '400 bad_request')
}, { peer: 'it takes the query' })

it('DELETE wants the leaf', async server => {
  const db = await server.db()
  const { rev } = await server.ok('PUT', `${db.at}/x`, {})
  assert.equal(await server.fails('DELETE', `${db.at}/x`), '409 conflict')
  assert.equal(await server.fails('DELETE', `${db.at}/x?rev=1-${A}`), '409 conflict')
  assert.equal(await server.fails('DELETE', `${db.at}/y?rev=1-${A}`), '404 not_found')
  await server.ok('DELETE', `${db.at}/x?rev=${rev}`)
}, { peer: 'it deletes without a revision' })

it('design documents are stored as data and replicate', async server => {
  const db = await server.db()
  await server.ok('PUT', `${db.at}/_design/app`, { views: {} })
  assert.deepEqual((await server.ok('GET', `${db.at}/_design/app`)).views, {})
  assert.deepEqual((await server.ok('GET', `${db.at}/_design%2Fapp`)).views, {})
  assert.equal((await server.ok('GET', `${db.at}/_changes`)).results[0].id, '_design/app')
})
