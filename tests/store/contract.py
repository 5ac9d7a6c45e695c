"""What every document store promises: one suite in one file, run on each.

It is the interface's specification.
"""

import asyncio
from collections.abc import Sequence

import pytest

from sync import revtree
from sync.rev import Rev
from sync.revtree import Tree
from sync.store.interface import (
    AttachmentMissing,
    Conflict,
    DatabaseExists,
    DatabaseMissing,
    Edit,
    File,
    Page,
    Span,
    Store,
    Stub,
    Write,
)

A, B, C, D = (letter * 32 for letter in "abcd")


def edit(
    doc_id: str, *path: str, body: bytes = b'{"n":1}', deleted: bool = False, **files: File | Stub
) -> Edit:
    """`edit("x", "2-b", "1-a")`: the path newest first, a letter for 32 hex digits."""
    return Edit(doc_id, tuple(rev(text) for text in path), body, deleted, files)


def rev(text: str) -> Rev:
    generation, _, letter = text.partition("-")
    return Rev(int(generation), letter * 32 if letter in "abcdef" else letter)


def every(_: str, tree: Tree) -> Sequence[Rev]:
    return list(tree)


class Databases:
    async def test_a_database_is_there_from_its_creation_to_its_end(self, store: Store) -> None:
        with pytest.raises(DatabaseMissing):
            await store.info("a")
        await store.create("a")
        await store.create("b")
        with pytest.raises(DatabaseExists):
            await store.create("a")
        assert await store.names() == ["a", "b"]
        await store.graft("a", [edit("x", "1-a", f=File("text/plain", b"gone"))])
        await store.drop("a")
        assert await store.names() == ["b"]
        with pytest.raises(DatabaseMissing):
            await store.drop("a")
        assert await store.check() == []

    async def test_a_new_database_knows_nothing_of_one_that_had_its_name(self, store: Store) -> None:
        await store.create("a")
        await store.graft("a", [edit("x", "1-a")])
        await store.put_local("a", "_local/x", b"{}")
        await store.drop("a")
        await store.create("a")
        assert (await store.changes("a", Page())).rows == ()
        assert await store.local("a", "_local/x") is None
        info = await store.info("a")
        assert (info.doc_count, info.deleted_count) == (0, 0)

    async def test_many_revisions_of_one_document_cost_as_much_as_of_many(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked = 0

        def counted(self: Rev) -> int:
            nonlocal looked
            looked += 1
            return hash(tuple(self))

        async def cost(doc_id: str, revisions: int) -> int:
            nonlocal looked
            edits = [edit(doc_id, f"2-x{n}", f"1-{n}") for n in range(revisions)]
            looked = 0
            with monkeypatch.context() as patch:
                patch.setattr(Rev, "__hash__", counted)
                assert all(await store.graft("a", edits))
                writes = [Write(doc_id, None, b"{}") for _ in range(revisions)]
                assert all(isinstance(one, Conflict) for one in await store.write("a", writes))
            return looked

        await store.create("a")
        assert await cost("many", 200) < 3 * await cost("some", 100)

    async def test_a_sequence_of_a_database_that_was_dropped_is_given_to_nothing_else(
        self, store: Store
    ) -> None:
        await store.create("a")
        await store.graft("a", [edit(doc_id, "1-a") for doc_id in "xyz"])
        kept = (await store.changes("a", Page())).last_seq
        for _ in range(2):  # also where the second of the name has given none
            await store.drop("a")
            await store.create("a")
        await store.graft("a", [edit(doc_id, "1-b") for doc_id in "12345"])
        page = await store.changes("a", Page(kept))
        assert [change.id for change in page.rows] == list("12345")
        assert page.last_seq == page.rows[-1].seq == (await store.info("a")).update_seq
        older = await store.changes("a", Page(1, limit=2))
        assert ([change.id for change in older.rows], older.pending) == (["1", "2"], 3)
        await store.create("b")
        assert (await store.info("b")).update_seq == 0

    @pytest.mark.parametrize("call", ["trees", "graft", "changes", "wait", "put_local", "purge", "compact"])
    async def test_what_is_not_there_says_so(self, store: Store, call: str) -> None:
        arguments = {
            "trees": (["x"],),
            "graft": ([edit("x", "1-a")],),
            "changes": (Page(),),
            "wait": (0,),
            "put_local": ("_local/x", b"{}"),
            "purge": ({"x": [rev("1-a")]},),
            "compact": (),
        }[call]
        with pytest.raises(DatabaseMissing):
            await getattr(store, call)("nowhere", *arguments)


class Grafting:
    async def test_revisions_come_in_with_their_ancestry(self, store: Store) -> None:
        await store.create("a")
        assert await store.graft("a", [edit("x", "3-c", "2-b", "1-a")]) == [True]
        tree = (await store.trees("a", ["x", "y"]))["x"]
        assert revtree.ancestry(tree, rev("3-c")) == (rev("3-c"), rev("2-b"), rev("1-a"))
        assert await store.bodies("a", [("x", rev("3-c")), ("x", rev("2-b"))]) == {
            ("x", rev("3-c")): b'{"n":1}'
        }

    async def test_grafting_again_changes_nothing(self, store: Store) -> None:
        await store.create("a")
        await store.graft("a", [edit("x", "2-b", "1-a")])
        before = await store.changes("a", Page())
        assert await store.graft("a", [edit("x", "2-b", "1-a"), edit("x", "1-a")]) == [False, False]
        assert await store.changes("a", Page()) == before

    async def test_several_revisions_of_one_document_in_one_batch_are_all_kept(self, store: Store) -> None:
        await store.create("a")
        batch = [edit("x", "2-b", "1-a"), edit("x", "2-c", "1-a"), edit("x", "1-d", deleted=True)]
        assert await store.graft("a", batch) == [True, True, True]
        (row,) = (await store.changes("a", Page())).rows
        assert [(str(leaf.rev)[:3], leaf.deleted) for leaf in row.leaves] == [
            ("2-c", False),
            ("2-b", False),
            ("1-d", True),
        ]

    async def test_odd_digests_come_back_as_they_went_in(self, store: Store) -> None:
        await store.create("a")
        odd = [Rev(1, ""), Rev(2, "b"), Rev(2, "Đ-é\0x"), Rev(7, "A" * 32), Rev(9, "f" * 31)]
        for one in odd:
            await store.graft("a", [Edit("x", (one,), b"{}")])
        tree = (await store.trees("a", ["x"]))["x"]
        assert set(tree) == set(odd)

    async def test_odd_ids_are_ids(self, store: Store) -> None:
        await store.create("a")
        ids = ["a/b", "a+b", "Nguyễn", "\0", "a\0b", "a", '"', "_design/x", "𝔸", "x" * 2000]
        await store.graft("a", [edit(doc_id, "1-a") for doc_id in ids])
        assert set(await store.trees("a", ids)) == set(ids)
        listing = await store.listing("a", Span())
        assert [row.id for row in listing.rows] == sorted(ids, key=str.encode)

    async def test_several_databases_in_one_transaction_all_or_nothing(self, store: Store) -> None:
        await store.create("a")
        with pytest.raises(DatabaseMissing):
            await store.graft_all({"a": [edit("x", "1-a")], "b": [edit("x", "1-a")]})
        assert (await store.info("a")).update_seq == 0
        await store.create("b")
        both = await store.graft_all({"a": [edit("x", "1-a")], "b": [edit("x", "1-a"), edit("y", "1-a")]})
        assert both == {"a": [True], "b": [True, True]}

    async def test_a_long_history_is_stemmed_to_the_limit(self, store: Store) -> None:
        await store.create("a")
        path = tuple(Rev(n, f"{n:032x}") for n in range(5000, 0, -1))
        await store.graft("a", [Edit("x", path, b"{}")])
        tree = (await store.trees("a", ["x"]))["x"]
        assert len(tree) == 1000
        assert max(tree) == path[0]

    async def test_a_smaller_limit_forgets_older_bodies_too(self, store: Store) -> None:
        await store.create("a")
        await store.set_revs_limit("a", 2)
        path: list[Rev] = []
        for n in range(1, 5):
            path.insert(0, Rev(n, f"{n:032x}"))
            await store.graft("a", [Edit("x", tuple(path), b'{"n":%d}' % n)])
        document = (await store.read("a", ["x"], every))["x"]
        assert sorted(rev.generation for rev in document.tree) == [3, 4]
        assert (await store.info("a")).revs_limit == 2
        assert await store.check() == []


class Writing:
    async def test_a_child_of_a_leaf_is_written_and_of_anything_else_is_a_conflict(
        self, store: Store
    ) -> None:
        await store.create("a")
        (first,) = await store.write("a", [Write("x", None, b'{"n":1}')])
        assert isinstance(first, Rev)
        assert first.generation == 1
        assert len(first.digest) == 32
        (second,) = await store.write("a", [Write("x", first, b'{"n":2}')])
        assert isinstance(second, Rev)
        before = await store.changes("a", Page())
        for parent in (None, first, rev("2-f")):
            assert await store.write("a", [Write("x", parent, b"{}")]) == [Conflict("x")]
        assert await store.write("a", [Write("new", rev("1-a"), b"{}")]) == [Conflict("new")]
        assert await store.changes("a", Page()) == before

    async def test_a_write_whose_revisions_are_settled_adds_those_after_exactly_its_parent(
        self, store: Store
    ) -> None:
        await store.create("a")
        settled = Write("x", None, b'{"n":1}', path=(rev("2-b"), rev("1-a")))
        assert await store.write("a", [settled]) == [rev("2-b")]
        document = (await store.read("a", ["x"], every))["x"]
        assert document.tree[rev("2-b")].parent == rev("1-a")
        assert set(document.bodies) == {rev("2-b")}
        deleted = Write("x", rev("2-b"), b"{}", deleted=True, path=(rev("3-c"),))
        assert await store.write("a", [deleted]) == [rev("3-c")]
        # The tree grew since these were settled: they do not follow the deletion, as an unsettled one would.
        assert await store.write("a", [Write("x", None, b"{}", path=(rev("1-f"),))]) == [Conflict("x")]
        assert await store.check() == []

    async def test_the_first_of_two_writes_in_a_batch_wins(self, store: Store) -> None:
        await store.create("a")
        one, other, third = await store.write(
            "a", [Write("x", None, b"{}"), Write("x", None, b'{"n":2}')] * 1 + [Write("y", None, b"{}")]
        )
        assert isinstance(one, Rev)
        assert other == Conflict("x")
        assert isinstance(third, Rev)

    async def test_a_deleted_document_can_be_written_again(self, store: Store) -> None:
        await store.create("a")
        (one,) = await store.write("a", [Write("x", None, b"{}")])
        assert isinstance(one, Rev)
        (gone,) = await store.write("a", [Write("x", one, b"{}", deleted=True)])
        info = await store.info("a")
        assert (info.doc_count, info.deleted_count) == (0, 1)
        (back,) = await store.write("a", [Write("x", None, b'{"back":true}')])
        assert isinstance(back, Rev)
        assert back.generation == 3
        tree = (await store.trees("a", ["x"]))["x"]
        assert tree[back].parent == gone
        info = await store.info("a")
        assert (info.doc_count, info.deleted_count) == (1, 0)

    async def test_the_same_edit_on_two_stores_is_the_same_revision(self, store: Store) -> None:
        for db in ("a", "b"):
            await store.create(db)
        one = await store.write("a", [Write("x", None, b'{"n":1}')])
        assert await store.write("b", [Write("x", None, b'{"n":1}')]) == one
        assert await store.write("b", [Write("y", None, b'{"n":2}')]) != one


class Feed:
    async def test_a_document_has_one_row_at_its_last_change(self, store: Store) -> None:
        await store.create("a")
        await store.graft("a", [edit("x", "1-a"), edit("y", "1-a")])
        await store.graft("a", [edit("x", "2-b", "1-a")])
        page = await store.changes("a", Page())
        assert [(row.id, str(row.leaves[0].rev)[:3]) for row in page.rows] == [("y", "1-a"), ("x", "2-b")]
        assert page.last_seq == page.rows[-1].seq == (await store.info("a")).update_seq

    async def test_pages_go_on_from_each_other_and_count_what_is_left(self, store: Store) -> None:
        await store.create("a")
        await store.graft("a", [edit(f"x{n}", "1-a") for n in range(7)])
        seen, since, left = [], 0, []
        for _ in range(4):
            page = await store.changes("a", Page(since, limit=2))
            seen += [row.id for row in page.rows]
            since = page.last_seq  # type: ignore[assignment]
            left.append(page.pending)
        assert seen == [f"x{n}" for n in range(7)]
        assert left == [5, 3, 1, 0]

    async def test_what_is_pending_is_right_after_other_changes(self, store: Store) -> None:
        await store.create("a")
        await store.graft("a", [edit(f"x{n}", "1-a") for n in range(6)])
        first = await store.changes("a", Page(limit=2))
        await store.graft("a", [edit("x0", "2-b", "1-a"), edit("x5", "2-b", "1-a"), edit("new", "1-a")])
        page = await store.changes("a", Page(first.last_seq, limit=2))
        assert ([row.id for row in page.rows], page.pending) == (["x2", "x3"], 4)

    async def test_descending_ids_and_bodies(self, store: Store) -> None:
        await store.create("a")
        await store.graft("a", [edit(f"x{n}", "1-a", body=b'{"n":%d}' % n) for n in range(5)])
        page = await store.changes("a", Page(descending=True, limit=2))
        assert [row.id for row in page.rows] == ["x4", "x3"]
        page = await store.changes("a", Page(since=2, ids={"x0", "x3", "x4", "none"}, limit=1, bodies=True))
        assert [(row.id, row.body and row.body.json) for row in page.rows] == [("x3", b'{"n":3}')]
        assert page.pending == 1

    @pytest.mark.parametrize("since", [99, "99", "what", -1, "1" * 40])
    async def test_a_position_that_was_never_given_reads_from_the_start(
        self, store: Store, since: int | str
    ) -> None:
        await store.create("a")
        await store.graft("a", [edit("x", "1-a")])
        assert [row.id for row in (await store.changes("a", Page(since))).rows] == ["x"]

    async def test_no_change_is_skipped_or_repeated_under_many_writers(self, store: Store) -> None:
        await store.create("a")
        seen: list[str] = []

        async def write(name: str) -> None:
            for n in range(20):
                await store.graft("a", [edit(f"{name}{n}", "1-a")])

        async def follow() -> None:
            since = 0
            while len(seen) < 160:
                await store.wait("a", since)
                page = await store.changes("a", Page(since, limit=7))
                seen.extend(row.id for row in page.rows)
                since = page.last_seq  # type: ignore[assignment]

        await asyncio.wait_for(asyncio.gather(follow(), *(write(name) for name in "abcdefgh")), 30)
        assert len(seen) == len(set(seen)) == 160

    async def test_waiting_ends_at_a_change_or_with_the_database(self, store: Store) -> None:
        await store.create("a")
        await store.create("b")
        waiting = [asyncio.ensure_future(store.wait("a", 0)) for _ in range(3)]
        await store.graft("b", [edit("x", "1-a")])
        assert not any(one.done() for one in waiting)
        await store.graft("a", [edit("x", "1-a")])
        await asyncio.wait_for(asyncio.gather(*waiting), 10)
        await asyncio.wait_for(store.wait("a", 0), 10)
        late = asyncio.ensure_future(store.wait("a", (await store.info("a")).update_seq))
        await asyncio.sleep(0)
        await store.drop("a")
        with pytest.raises(DatabaseMissing):
            await asyncio.wait_for(late, 10)


class Lists:
    @pytest.mark.parametrize(
        ("span", "ids", "offset"),
        [
            (Span(), "abcde", 0),
            (Span(descending=True), "edcba", 0),
            (Span(start="b", end="d"), "bcd", 1),
            (Span(start="b", end="d", inclusive_end=False), "bc", 1),
            (Span(start="d", end="b", descending=True), "dcb", 1),
            (Span(start="d", end="b", descending=True, inclusive_end=False), "dc", 1),
            (Span(skip=1, limit=2), "bc", 1),
            (Span(start="bb"), "cde", 2),
            (Span(start="x"), "", 5),
            (Span(limit=0), "", 0),
        ],
    )
    async def test_documents_by_id(self, store: Store, span: Span, ids: str, offset: int) -> None:
        await store.create("a")
        await store.graft("a", [edit(doc_id, "1-a") for doc_id in "edcba"])
        await store.graft("a", [edit("bx", "1-a", deleted=True)])
        listing = await store.listing("a", span)
        assert ("".join(row.id for row in listing.rows), listing.offset) == (ids, offset)
        assert listing.total == 5


class Locals:
    async def test_local_documents_count_and_stay_out_of_the_feed(self, store: Store) -> None:
        await store.create("a")
        assert await store.put_local("a", "_local/x", b'{"n":1}') == 1
        assert await store.put_local("a", "_local/x", b'{"n":2}') == 2
        assert await store.put_local("a", "_local/x", b'{"n":9}', seen=7) == 8
        assert await store.local("a", "_local/x") == (8, b'{"n":9}')
        assert list(await store.locals("a")) == [("_local/x", 8, b'{"n":9}')]
        assert await store.put_local("a", "_local/x", None) == 0
        assert await store.local("a", "_local/x") is None
        assert (await store.changes("a", Page())).rows == ()


class Files:
    async def test_bytes_are_kept_once_and_go_with_the_last_that_holds_them(self, store: Store) -> None:
        await store.create("a")
        hello = File("text/plain", b"hello")
        await store.graft("a", [edit("x", "1-a", f=hello), edit("y", "1-a", f=hello, g=hello)])
        body = (await store.read("a", ["x"], every))["x"].bodies[rev("1-a")]
        file = body.attachments["f"]
        assert (file.content_type, file.length, file.revpos) == ("text/plain", 5, 1)
        assert file.digest == "md5-XUFAKrxLKna5cZ2REBfFkg=="
        assert await store.attachment(file.key) == b"hello"
        assert await store.attachment(file.key, 1, 3) == b"el"
        await store.purge("a", {"x": [rev("1-a")]})
        assert await store.attachment(file.key) == b"hello"
        await store.purge("a", {"y": [rev("1-a")]})
        with pytest.raises(AttachmentMissing):
            await store.attachment(file.key)
        assert await store.check() == []

    async def test_a_stub_keeps_what_the_document_has(self, store: Store) -> None:
        await store.create("a")
        (one,) = await store.write("a", [Write("x", None, b"{}", files={"f": File("text/plain", b"")})])
        assert isinstance(one, Rev)
        (two,) = await store.write("a", [Write("x", one, b'{"n":2}', files={"f": Stub()})])
        assert isinstance(two, Rev)
        await store.graft("a", [Edit("x", (Rev(3, C), two), b'{"n":3}', files={"f": Stub(revpos=1)})])
        body = (await store.read("a", ["x"], every))["x"].bodies[Rev(3, C)]
        assert body.attachments["f"].revpos == 1
        assert await store.attachment(body.attachments["f"].key) == b""

    async def test_a_stub_that_says_a_digest_is_of_that_branch(self, store: Store) -> None:
        await store.create("a")
        old, new = (File("text/plain", text) for text in (b"of the one branch", b"of the other"))
        await store.graft("a", [edit("x", "1-a", f=old), edit("x", "1-b", f=new)])
        bodies = (await store.read("a", ["x"], every))["x"].bodies
        stub = Stub(digest=bodies[rev("1-a")].attachments["f"].digest)
        await store.graft("a", [edit("x", "2-c", "1-a", f=stub)])
        file = (await store.read("a", ["x"], every))["x"].bodies[rev("2-c")].attachments["f"]
        assert await store.attachment(file.key) == b"of the one branch"

    async def test_a_stub_of_nothing_stores_nothing_of_its_batch(self, store: Store) -> None:
        await store.create("a")
        batch = [edit("y", "1-a"), edit("x", "1-a", f=Stub())]
        with pytest.raises(AttachmentMissing):
            await store.graft("a", batch)
        with pytest.raises(AttachmentMissing):
            await store.write("a", [Write("y", None, b"{}"), Write("x", None, b"{}", files={"f": Stub()})])
        assert (await store.info("a")).update_seq == 0
        assert await store.check() == []


class Keeping:
    async def test_compaction_drops_what_no_leaf_needs(self, store: Store) -> None:
        await store.create("a")
        (one,) = await store.write("a", [Write("x", None, b'{"n":1}', files={"f": File("a/b", b"old")})])
        assert isinstance(one, Rev)
        (two,) = await store.write("a", [Write("x", one, b'{"n":2}')])
        await store.graft("a", [edit("x", "2-f", str(one))])
        before = await store.changes("a", Page())
        await store.compact("a")
        document = (await store.read("a", ["x"], every))["x"]
        assert set(document.bodies) == {two, rev("2-f")}
        assert set(document.tree) == {one, two, rev("2-f")}
        assert await store.changes("a", Page()) == before
        assert await store.check() == []

    async def test_purging_forgets_a_branch_and_with_the_last_the_document(self, store: Store) -> None:
        await store.create("a")
        await store.graft("a", [edit("x", "3-c", "2-b", "1-a"), edit("x", "2-d", "1-a"), edit("y", "1-a")])
        assert await store.purge("a", {"x": [rev("3-c"), rev("1-a")], "none": [rev("1-a")]}) == {
            "x": [rev("3-c")],
            "none": [],
        }
        assert set((await store.trees("a", ["x"]))["x"]) == {rev("2-d"), rev("1-a")}
        await store.purge("a", {"x": [rev("2-d")]})
        assert await store.trees("a", ["x"]) == {}
        assert (await store.info("a")).doc_count == 1
        assert [row.id for row in (await store.changes("a", Page())).rows] == ["y"]
        assert await store.check() == []

    async def test_bodies_can_be_forgotten_while_trees_stay(self, store: Store) -> None:
        await store.create("a")
        await store.graft("a", [edit("x", "1-a"), edit("x", "2-b", "1-a", f=File("a/b", b"c"))])
        await store.forget_bodies("a", ["x", "none"])
        document = (await store.read("a", ["x"], every))["x"]
        assert document.bodies == {}
        assert set(document.tree) == {rev("1-a"), rev("2-b")}
        assert await store.check() == []

    async def test_a_leaf_that_deletes_says_nothing_once_forgotten_and_a_peer_can_have_it(
        self, store: Store
    ) -> None:
        await store.create("a")
        ends = edit("x", "2-b", "1-a", body=b'{"moved_to":"b"}', deleted=True)
        below = edit("x", "3-d", "2-c", "1-a", deleted=True)
        await store.graft("a", [edit("x", "1-a"), ends, edit("x", "2-c", "1-a", deleted=True), below])
        await store.forget_bodies("a", ["x"])
        document = (await store.read("a", ["x"], every))["x"]
        assert {one: body.json for one, body in document.bodies.items()} == {
            rev("2-b"): b"{}",
            rev("3-d"): b"{}",
        }
        assert await store.check() == []

    async def test_a_body_that_was_forgotten_does_not_come_back_with_its_revision(self, store: Store) -> None:
        await store.create("a")
        again = [edit("x", "2-b", "1-a")]
        await store.graft("a", again)
        await store.forget_bodies("a", ["x"])
        assert await store.graft("a", again) == [False]
        assert (await store.read("a", ["x"], every))["x"].bodies == {}
        assert await store.check() == []

    async def test_security_is_kept_as_it_was_put(self, store: Store) -> None:
        await store.create("a")
        assert await store.security("a") == b"{}"
        await store.set_security("a", b'{"admins":{}}')
        assert await store.security("a") == b'{"admins":{}}'


class StoreContract(Databases, Grafting, Writing, Feed, Lists, Locals, Files, Keeping):
    """Everything. A subclass gives the fixture `store`."""
