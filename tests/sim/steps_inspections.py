"""Inspections: what phones answer and photograph, and what the office makes of it."""

import base64
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from random import Random

from PIL import Image

from tests.sim.founding import CHECKLIST, PHOTO, inspection, register
from tests.sim.scene import Scene, deaths
from tests.sim.season import Step

SIDES = (200, 150)
"""Of every picture (`pwa/tests/phone.ts` says so of all)."""


@dataclass(slots=True)
class Inspections(Scene):
    """A method for each step of an inspection."""

    async def _inspect(self, step: Step) -> None:
        phone, args = self.phones[step.phone], step.args
        if not phone.joined:
            return
        told = await self.tell(
            phone,
            "inspect",
            hamlet=args["hamlet"],
            inspection=inspection(args["hamlet"], args["inspection"]),
            subject=register(args["subject"], args["hamlet"]),
            checklist=CHECKLIST,
            item=PHOTO,
            values={"order": args["count"] % 2 == 0, "count": args["count"]},
            pictures=[picture(number) for number in args["photos"]],
            drops=args["drops"],
            **deaths(args),
        )
        if told.result:
            self.tally["photographs taken"] += len(args["photos"])

    async def _choose(self, step: Step) -> None:
        ulid = inspection(step.args["hamlet"], step.args["inspection"])
        self.tally["done: choose"] += await self.office.choose(ulid, step.args["take"])

    async def _erase_photo(self, step: Step) -> None:
        ulid = inspection(step.args["hamlet"], step.args["inspection"])
        self.tally["done: erase photo"] += await self.office.erase_photo(ulid)


@lru_cache(maxsize=64)
def picture(number: int) -> str:
    """A small photograph of noise, some 30 kB: it takes two requests on a weak link."""
    width, height = SIDES
    noise = Random(number).randbytes(width * height * 3)
    made = BytesIO()
    Image.frombytes("RGB", SIDES, noise).save(made, "JPEG", quality=40)
    return base64.b64encode(made.getvalue()).decode()
