import { assert, behaviours, PouchDB, revision, A, B } from '../kit.mjs'

export const { list, it } = behaviours()

it('13. revisions of local documents are 0-N', async server => {
  const db = await server.db()
  const one = await server.ok('PUT', `${db.at}/_local/x`, { n: 1 })
  assert.deepEqual(one, { ok: true, id: '_local/x', rev: '0-1' })
  const two = await server.ok('PUT', `${db.at}/_local/x`, { _rev: '0-1', n: 2 })
  assert.equal(two.rev, '0-2')
  assert.deepEqual(await server.ok('GET', `${db.at}/_local/x`), { _id: '_local/x', _rev: '0-2', n: 2 })
})

it('13. DELETE of a local document answers 0-0', async server => {
  const db = await server.db()
  await server.ok('PUT', `${db.at}/_local/x`, {})
  assert.equal((await server.ok('DELETE', `${db.at}/_local/x?rev=0-1`)).rev, '0-0')
  assert.equal(await server.fails('GET', `${db.at}/_local/x`), '404 not_found')
})

it('13. PUT with _deleted answers 0-0', async server => {
  const db = await server.db()
  await server.ok('PUT', `${db.at}/_local/x`, {})
  assert.equal((await server.ok('PUT', `${db.at}/_local/x`, { _rev: '0-1', _deleted: true })).rev, '0-0')
  assert.equal(await server.fails('GET', `${db.at}/_local/x`), '404 not_found')
})

it('13. local documents have no _revisions and are in no feed or list', async server => {
  const db = await server.db()
  await server.ok('PUT', `${db.at}/_local/x`, {})
  assert.equal('_revisions' in await server.ok('GET', `${db.at}/_local/x?revs=true`), false)
  assert.deepEqual((await server.ok('GET', `${db.at}/_changes`)).results, [])
  assert.deepEqual((await server.ok('GET', `${db.at}/_all_docs`)).rows, [])
  assert.equal((await server.ok('GET', db.at)).doc_count, 0)
})

it('13. local documents take no attachments', async server => {
  const db = await server.db()
  await server.ok('PUT', `${db.at}/_local/x`, {})
  assert.equal(await server.fails('PUT', `${db.at}/_local/x/f.txt?rev=0-1`, 'hi', { 'Content-Type': 'text/plain' }), '400 bad_request')
}, { peer: 'it answers 404' })

it('13. _local_docs lists them', async server => {
  const db = await server.db()
  await server.ok('PUT', `${db.at}/_local/x`, {})
  const { rows } = await server.ok('GET', `${db.at}/_local_docs`)
  assert.deepEqual(rows.map(row => row.id), ['_local/x'])
}, { peer: 'it has none' })

it('14. replication resumes by its checkpoints', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [A]))
  const here = new PouchDB(`here-${db.name}`, { adapter: 'memory' })
  assert.equal((await here.replicate.from(db.pouch)).docs_read, 1)
  await server.graft(db, revision('y', [A]))
  assert.equal((await here.replicate.from(db.pouch)).docs_read, 1)
  await here.destroy()
})

it('14. a checkpoint that one side lost starts over, and changes nothing', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [B, A]))
  const here = new PouchDB(`lost-${db.name}`, { adapter: 'memory' })
  const first = await here.replicate.from(db.pouch)
  assert.equal(first.docs_written, 1)
  const again = new PouchDB(`again-${db.name}`, { adapter: 'memory' })
  assert.equal((await again.replicate.from(db.pouch)).docs_written, 1)
  const { last_seq: seq } = await server.ok('GET', `${db.at}/_changes`)
  await here.replicate.to(db.pouch)
  assert.deepEqual((await server.ok('GET', `${db.at}/_changes`)).last_seq, seq)
  await Promise.all([here.destroy(), again.destroy()])
})
