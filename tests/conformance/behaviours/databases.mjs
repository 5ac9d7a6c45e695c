import { A, assert, B, behaviours, C, D, PouchDB, revision } from '../kit.mjs'

export const { list, it } = behaviours()

it('1. /db/ equals /db', async server => {
  const db = await server.db()
  assert.equal((await server.ok('GET', `${db.at}/`)).db_name, db.name)
})

it('1. names of databases may hold + and %2F', async server => {
  for (const name of ['plus+and', 'slash%2Fand']) {
    const at = `/c${process.pid}${name}${Math.floor(performance.now())}`
    await server.ok('PUT', at)
    assert.equal((await server.ok('GET', at)).db_name, decodeURIComponent(at.slice(1)))
    await server.ok('PUT', `${at}/doc`, {})
    assert.equal((await server.ok('GET', at)).doc_count, 1)
    await server.ok('DELETE', at)
  }
}, { peer: 'it loses the slash' })

it('1. a slash in an id is data, raw path and all', async server => {
  const db = await server.db()
  await server.ok('PUT', `${db.at}/a%2Fb`, { n: 1 })
  assert.equal((await server.ok('GET', `${db.at}/a%2Fb`))._id, 'a/b')
  assert.equal((await db.pouch.get('a/b')).n, 1)
  assert.equal(await server.fails('GET', `${db.at}/a`), '404 not_found')
})

it('1. ids that hold what addresses treat specially come back', async server => {
  const db = await server.db()
  const ids = ['a+b', 'a b', 'a%b', 'a?b', 'a#b', 'Nguyễn Thị Mỷ', '𝔸', 'a&b=c', '"', 'constructor', 'hasOwnProperty']
  for (const id of ids) await db.pouch.put({ _id: id, says: id })
  for (const id of ids) assert.equal((await db.pouch.get(id)).says, id)
  assert.equal((await db.pouch.info()).doc_count, ids.length)
})

it('2. a missing database is 404 not_found, whatever is asked of it', async server => {
  for (const [method, path, body] of [
    ['GET', ''], ['GET', '/doc'], ['GET', '/_changes'], ['GET', '/_all_docs'], ['GET', '/_local/x'],
    ['POST', '/_bulk_docs', { docs: [] }], ['POST', '/_revs_diff', {}], ['PUT', '/doc', {}], ['DELETE', '']
  ]) {
    assert.equal(await server.fails(method, `/nowhere-at-all${path}`, body), '404 not_found', `${method} ${path}`)
  }
}, { peer: 'its answers differ from route to route' })

it('2. a PUT of a database that exists is 412 file_exists', async server => {
  const db = await server.db()
  assert.equal(await server.fails('PUT', db.at), '412 file_exists')
})

it('2. a client makes the database that is missing', async server => {
  const name = `${server.url}/made-${process.pid}-${Math.floor(performance.now())}`
  const pouch = new PouchDB(name)
  await pouch.put({ _id: 'x' })
  assert.equal((await pouch.info()).doc_count, 1)
  await pouch.destroy()
})

it('2. names that no database may have are refused', async server => {
  for (const name of ['Upper', '1st', 'a.b', 'a%20b']) {
    assert.equal(await server.fails('PUT', `/${name}`), '400 illegal_database_name', name)
  }
}, { peer: 'it makes some of them' })

it('3. GET / names couchdb', async server => {
  const { text } = await server.ask('GET', '/')
  assert.match(text, /couchdb/i)
})

it('4. revisions are a number and any text', async server => {
  const db = await server.db()
  const revs = ['2-b', '1-x_y', '3-Đ', `4-${'e'.repeat(31)}`]
  for (const [n, rev] of revs.entries()) await server.graft(db, { _id: `d${n}`, _rev: rev })
  for (const [n, rev] of revs.entries()) assert.equal((await server.ok('GET', `${db.at}/d${n}`))._rev, rev)
})

it('4. new revisions are 32 lower-case hex digits', async server => {
  const db = await server.db()
  const { rev } = await server.ok('PUT', `${db.at}/x`, {})
  assert.match(rev, /^1-[0-9a-f]{32}$/)
})

it('4. generations compare as numbers, then the rest by byte', async server => {
  const db = await server.db()
  const ids = n => Array.from({ length: n }, (_, k) => `${k}`.padStart(32, n === 10 ? '1' : '2'))
  await server.graft(db, revision('x', ids(9), { nine: true }), revision('x', ids(10), { ten: true }))
  assert.equal((await server.ok('GET', `${db.at}/x`)).ten, true)
  await server.graft(db, { _id: 'y', _rev: '1-b' }, { _id: 'y', _rev: '1-a' }, { _id: 'y', _rev: '1-B' })
  assert.equal((await server.ok('GET', `${db.at}/y`))._rev, '1-b')
})

it('4. malformed revisions are 400 bad_request', async server => {
  const db = await server.db()
  await server.ok('PUT', `${db.at}/x`, {})
  for (const rev of ['x', '-a', 'a-1', '1', '0-a', '1.5-a']) {
    assert.equal(await server.fails('PUT', `${db.at}/x?rev=${rev}`, {}), '400 bad_request', rev)
  }
}, { peer: 'it treats some of them as conflicts' })

it('5. not deleted wins first, then the longest, then the greatest', async server => {
  const db = await server.db()
  await server.graft(db,
    revision('x', [D, 'e'.repeat(32), A], { _deleted: true }), revision('x', [B, A]), revision('x', [C, A]))
  const doc = await server.ok('GET', `${db.at}/x?conflicts=true`)
  assert.equal(doc._rev, `2-${C}`)
  assert.deepEqual(doc._conflicts, [`2-${B}`])
})

it('5. _deleted_conflicts are told apart', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [B, A]), revision('x', [D, C, A], { _deleted: true }))
  const doc = await server.ok('GET', `${db.at}/x?conflicts=true&deleted_conflicts=true`)
  assert.deepEqual([doc._conflicts, doc._deleted_conflicts], [undefined, [`3-${D}`]])
}, { peer: 'it has none' })

it('5. _conflicts are descending, and absent when empty', async server => {
  const db = await server.db()
  await server.graft(db, ...[A, B, C, D].map(digest => revision('x', [digest])), revision('y', [A]))
  assert.deepEqual((await server.ok('GET', `${db.at}/x?conflicts=true`))._conflicts, [`1-${C}`, `1-${B}`, `1-${A}`])
  assert.equal('_conflicts' in await server.ok('GET', `${db.at}/y?conflicts=true`), false)
}, { peer: 'they are ascending' })

it('11. doc_count leaves deleted documents out', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [A]), revision('y', [B, A], { _deleted: true }), revision('_design/z', [A]))
  const info = await server.ok('GET', db.at)
  assert.equal(info.doc_count, 2)
})

it('11. doc_del_count counts the deleted', async server => {
  const db = await server.db()
  await server.graft(db, revision('y', [B, A], { _deleted: true }))
  assert.equal((await server.ok('GET', db.at)).doc_del_count, 1)
}, { peer: 'it does not tell' })

it('11. of 5,000 ancestors sent, 1,000 are kept', async server => {
  const db = await server.db()
  assert.equal(await server.ok('GET', `${db.at}/_revs_limit`), 1000)
  const ids = Array.from({ length: 5000 }, (_, n) => n.toString(16).padStart(32, '0'))
  await server.graft(db, revision('x', ids))
  const doc = await server.ok('GET', `${db.at}/x?revs=true`)
  assert.equal(doc._revisions.start, 5000)
  assert.equal(doc._revisions.ids.length, 1000)
  assert.equal(doc._revisions.ids[0], ids[0])
}, { peer: 'it has no _revs_limit, and keeps them all' })

it('databases can be listed and deleted', async server => {
  const db = await server.db()
  assert.ok((await server.ok('GET', '/_all_dbs')).includes(db.name))
  await server.ok('DELETE', db.at)
  assert.ok(!(await server.ok('GET', '/_all_dbs')).includes(db.name))
  assert.equal(await server.fails('GET', db.at), '404 not_found')
})

it('_uuids are 32 hex digits, as many as asked', async server => {
  const { uuids } = await server.ok('GET', '/_uuids?count=3')
  assert.equal(new Set(uuids).size, 3)
  for (const uuid of uuids) assert.match(uuid, /^[0-9a-f]{32}$/)
}, { peer: 'it answers UUIDs with dashes' })

it('_session tells who is asking', async server => {
  const told = await server.ok('GET', '/_session')
  assert.equal(told.ok, true)
  assert.ok('name' in told.userCtx)
})

it('_security comes back as it was put', async server => {
  const db = await server.db()
  const security = { admins: { names: ['x'], roles: [] }, members: { names: [], roles: ['y'] } }
  assert.equal((await server.ok('PUT', `${db.at}/_security`, security)).ok, true)
  assert.deepEqual(await server.ok('GET', `${db.at}/_security`), security)
})
