import { A, assert, B, behaviours, C, D, revision } from '../kit.mjs'

export const { list, it } = behaviours()

const ids = rows => rows.map(row => row.id)

it('17. one row a document, at its last change', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [A]))
  await server.graft(db, revision('y', [A]))
  await server.graft(db, revision('x', [B, A]))
  const { results } = await server.ok('GET', `${db.at}/_changes`)
  assert.deepEqual(results.map(row => [row.id, row.changes]), [['y', [{ rev: `1-${A}` }]], ['x', [{ rev: `2-${B}` }]]])
})

it('17. style=all_docs lists all leaves; deleted ones say so', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [B, A]), revision('x', [C, A]), revision('x', [D], { _deleted: true }))
  await server.graft(db, revision('gone', [B, A], { _deleted: true }))
  const { results } = await server.ok('GET', `${db.at}/_changes?style=all_docs`)
  assert.deepEqual(results[0].changes.map(change => change.rev).sort(), [`1-${D}`, `2-${B}`, `2-${C}`])
  assert.equal(results[0].changes[0].rev, `2-${C}`)
  assert.equal('deleted' in results[0], false)
  assert.equal(results[1].deleted, true)
}, { peer: 'it does not put the winner first' })

it('18. limit and since page through the feed without gap or repeat', async server => {
  const db = await server.db()
  const all = Array.from({ length: 23 }, (_, n) => `d${n}`)
  await server.graft(db, ...all.map(id => revision(id, [A])))
  const seen = []
  let since = 0
  for (;;) {
    const page = await server.ok('GET', `${db.at}/_changes?limit=5&since=${encodeURIComponent(since)}`)
    seen.push(...ids(page.results))
    if (!page.results.length) break
    assert.deepEqual(page.last_seq, page.results.at(-1).seq)
    since = page.last_seq
  }
  assert.deepEqual(seen.sort(), all.sort())
})

it('18. pending counts what is left', async server => {
  const db = await server.db()
  await server.graft(db, ...['a', 'b', 'c', 'd', 'e'].map(id => revision(id, [A])))
  const first = await server.ok('GET', `${db.at}/_changes?limit=2`)
  assert.equal(first.pending, 3)
  const second = await server.ok('GET', `${db.at}/_changes?limit=2&since=${encodeURIComponent(first.last_seq)}`)
  assert.equal(second.pending, 1)
}, { peer: 'it gives no pending' })

it('18. descending turns the feed around', async server => {
  const db = await server.db()
  for (const id of ['a', 'b', 'c']) await server.graft(db, revision(id, [A]))
  assert.deepEqual(ids((await server.ok('GET', `${db.at}/_changes?descending=true&limit=2`)).results), ['c', 'b'])
})

it('18. since=now starts at the end', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [A]))
  const page = await server.ok('GET', `${db.at}/_changes?since=now`)
  assert.deepEqual(page.results, [])
  assert.deepEqual(page.last_seq, (await server.ok('GET', db.at)).update_seq)
})

it('18. include_docs and conflicts', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [B, A], { n: 1 }), revision('x', [C, A], { n: 2 }), revision('y', [B, A], { _deleted: true }))
  const { results } = await server.ok('GET', `${db.at}/_changes?include_docs=true&conflicts=true`)
  assert.equal(results[0].doc.n, 2)
  assert.deepEqual(results[0].doc._conflicts, [`2-${B}`])
  assert.equal(results[1].doc._deleted, true)
})

it('19. longpoll really waits, and answers at the first change', async server => {
  const db = await server.db()
  let answered = false
  const waiting = server.ok('GET', `${db.at}/_changes?feed=longpoll&timeout=20000`).then(page => { answered = true; return page })
  for (let n = 0; n < 5; n++) await server.ok('GET', db.at)
  assert.equal(answered, false)
  await server.graft(db, revision('x', [A]))
  const page = await waiting
  assert.deepEqual(ids(page.results), ['x'])
})

it('19. longpoll answers at timeout with no rows', async server => {
  const db = await server.db()
  const page = await server.ok('GET', `${db.at}/_changes?feed=longpoll&timeout=50`)
  assert.deepEqual(page.results, [])
  assert.ok('last_seq' in page)
}, { peer: 'its timeout is not heard' })

it('19. longpoll with what is there answers at once', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [A]))
  assert.deepEqual(ids((await server.ok('GET', `${db.at}/_changes?feed=longpoll&since=0`)).results), ['x'])
})

it('19. heartbeat sends newlines, and takes the place of timeout', async server => {
  const db = await server.db()
  const { lines, ended } = await server.lines(`${db.at}/_changes?feed=longpoll&heartbeat=20&timeout=10`, lines => lines.length > 5)
  assert.equal(ended, false)
  assert.ok(lines.slice(1).every(line => line === ''))
})

it('19. continuous gives a row a line, and ends at timeout with last_seq', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [A]), revision('y', [A]))
  const { lines, ended } = await server.lines(`${db.at}/_changes?feed=continuous&timeout=50`)
  assert.equal(ended, true)
  const rows = lines.filter(Boolean).map(line => JSON.parse(line))
  assert.deepEqual(ids(rows.slice(0, 2)), ['x', 'y'])
  assert.ok('last_seq' in rows[2])
}, { peer: 'it never ends' })

it('19. continuous goes on with what comes later, until its limit', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [A]))
  const reading = server.lines(`${db.at}/_changes?feed=continuous&heartbeat=1000&limit=2`)
  await server.graft(db, revision('y', [A]))
  const { lines, ended } = await reading
  assert.equal(ended, true)
  assert.deepEqual(ids(lines.filter(Boolean).map(line => JSON.parse(line)).slice(0, 2)), ['x', 'y'])
}, { peer: 'its limit does not end the feed' })

it('19. eventsource sends events with ids', async server => {
  const db = await server.db()
  await server.graft(db, revision('x', [A]))
  const { text, headers } = await server.lines(`${db.at}/_changes?feed=eventsource&timeout=50`)
  assert.match(headers['content-type'], /^text\/event-stream/)
  assert.match(text, /^data: \{.*"id":"x".*\}\nid: \S+\n\n/)
}, { peer: 'it has none' })

it('20. _doc_ids filters before limit', async server => {
  const db = await server.db()
  await server.graft(db, ...['a', 'b', 'c', 'd'].map(id => revision(id, [A])))
  const page = await server.ok('POST', `${db.at}/_changes?filter=_doc_ids&limit=2`, { doc_ids: ['d', 'b', 'c', 'none'] })
  assert.deepEqual(ids(page.results), ['b', 'c'])
})

it('20. _selector filters before limit', async server => {
  const db = await server.db()
  await server.graft(db, ...[1, 2, 3, 4, 5].map(n => revision(`d${n}`, [A], { n, kind: { of: n % 2 ? 'odd' : 'even' } })))
  const asked = async (selector, limit = 9) => ids((await server.ok('POST', `${db.at}/_changes?filter=_selector&limit=${limit}`, { selector })).results)
  assert.deepEqual(await asked({ 'kind.of': 'odd' }, 2), ['d1', 'd3'])
  assert.deepEqual(await asked({ n: { $gt: 1, $lte: 3 } }), ['d2', 'd3'])
  assert.deepEqual(await asked({ $or: [{ n: 1 }, { n: { $in: [5] } }] }), ['d1', 'd5'])
  assert.deepEqual(await asked({ none: { $exists: false }, n: { $mod: [2, 0] } }), ['d2', 'd4'])
}, { peer: 'it has none' })

it('20. a filter of no design document is 404', async server => {
  const db = await server.db()
  assert.equal(await server.fails('GET', `${db.at}/_changes?filter=none/none`), '404 not_found')
})

it('21. no change is skipped or repeated under concurrent writers', async server => {
  const db = await server.db()
  const seen = []
  let done = false
  const follow = (async () => {
    let since = 0
    while (seen.length < 200) {
      const last = done
      const page = await server.ok('GET', `${db.at}/_changes?feed=longpoll&timeout=5000&limit=7&since=${encodeURIComponent(since)}`)
      if (last && !page.results.length) break
      seen.push(...ids(page.results))
      since = page.last_seq
    }
  })()
  await Promise.all(Array.from({ length: 8 }, async (_, writer) => {
    for (let n = 0; n < 25; n++) await server.ok('PUT', `${db.at}/w${writer}-${n}`, {})
  }))
  done = true
  await follow
  assert.equal(seen.length, 200)
  assert.equal(new Set(seen).size, 200)
})
