"""The faults of photographs and half-filled forms on the phone, and what of `pwa/tests` must see them."""

from tests.mutation.faults import Fault

DATA = "pwa/src/data"
PHOTOS, STORAGE = (f"pwa/tests/{name}.test.ts" for name in ("photos", "storage"))

PICTURES = (
    Fault(
        "a photograph's bytes go before the server has all of them",
        f"{DATA}/upload.ts",
        "      offset = await put(session, photo, bytes, offset);\n",
        "      offset = Math.max(await put(session, photo, bytes, offset), bytes.length);\n",
        (PHOTOS,),
    ),
    Fault(
        "a form about a household that was erased stays half filled in",
        f"{DATA}/compact.ts",
        '    if (rewrite) await (await import("./apart.ts")).erased.forgetForms(session);\n',
        "",
        (STORAGE,),
    ),
    Fault(
        "a form stays half filled in though its record was answered as erased",
        f"{DATA}/commit.ts",
        "    if (name.includes(id.slice(-26))) await",
        "    if (name === id) await",
        (STORAGE,),
    ),
    Fault(
        "a form about a household that has moved is forgotten",
        f"{DATA}/erased.ts",
        " if (page !== null) here.add(ulidOf(id));\n",
        " if (page === -1) here.add(ulidOf(id));\n",
        (STORAGE,),
    ),
    Fault(
        "two forms share one photograph",
        f"{DATA}/photos.ts",
        "    if (!named.has(sha256) && (await keep(",
        "    if ((await keep(",
        (PHOTOS,),
    ),
    Fault(
        "two hamlets share one photograph",
        f"{DATA}/photos.ts",
        '      if (there.hamlet !== hamlet || there.state !== "phone") return false;\n',
        "",
        (PHOTOS,),
    ),
    Fault(
        "a photograph that was taken back is saved as if it were shown",
        f"{DATA}/registers/writes.ts",
        '  if (back) throw new FieldError("invalid", labelOf(checklist, back.item));\n',
        "",
        ("pwa/tests/registers.test.ts",),
    ),
    Fault(
        "a photograph of a form that stays half filled in is forgotten",
        f"{DATA}/upload.ts",
        "    if (drafted.has(photo.sha256) || Math.abs(now - at) < DAY) continue;\n",
        "    if (Math.abs(now - at) < DAY) continue;\n",
        (PHOTOS,),
    ),
    Fault(
        "the age of a photograph is told by a clock that jumps",
        f"{DATA}/upload.ts",
        "    if (days < ABANDONED) await changed",
        "    if (now - photo.taken < ABANDONED * DAY) await changed",
        (PHOTOS,),
    ),
    Fault(
        "a phone that is full of photographs keeps them",
        f"{DATA}/syncing.ts",
        '    if (result === "storage_full") return this.photographs(session, asked).then(() => result);\n',
        "",
        (PHOTOS,),
    ),
    Fault(
        "a revoked phone forgets a photograph whose inspection has left it",
        f"{DATA}/upload.ts",
        " ?? received.get(photo.sha256) ?? photo.at;\n",
        " ?? received.get(photo.sha256);\n",
        (PHOTOS,),
    ),
    Fault(
        "a revoked phone forgets a photograph that was refused once",
        f"{DATA}/upload.ts",
        ' || (state === "refused" && !again)',
        "",
        (PHOTOS,),
    ),
)
