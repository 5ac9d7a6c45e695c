"""The staff's pages under `/office`: server-rendered, without scripts. One module and its templates per task.

`PAGES` is the whole of it: which address, who may, which handler. `server/app.py` mounts `routes()`.
"""

from typing import NamedTuple

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from server.auth.grant import STAFF, Role
from server.lists import sheets
from server.office import (
    account,
    auditing,
    bulletins,
    bundles,
    campaign,
    checklists,
    choosing,
    coverage,
    duplicates,
    edit,
    households,
    importing,
    inspections,
    login,
    models,
    moves,
    outreaches,
    people,
    photos,
    quarantine,
    queue,
    record,
    recoveries,
    restoring,
    reviewing,
    rights,
    story,
    timekeeping,
    units,
    wordings,
)
from server.office.desk import ADMINS, FORM_LIMIT, READERS, STATIC, Handler, gate


class Page(NamedTuple):
    """One address of the office. `roles` None: nobody need be signed in. `limit` in MiB of a form with at
    most so many `files`."""

    method: str
    path: str
    handler: Handler
    roles: frozenset[Role] | None
    limit: int = FORM_LIMIT
    files: int = 1


_HOUSEHOLD = "/office/households/{hamlet}/{ulid}"
_CHOICE = "/office/choose/{place}/{record}"
_HISTORY = "/office/history/{place}/{record}"
_CHECKLIST = "/office/checklists/{slug}"
_MODEL = "/office/models/{ulid}"
_UNIT = "/office/units/{hamlet}/{ulid}"
_BULLETIN = "/office/bulletins/{ulid}"
_RECORD = "/office/review/{hamlet}/{record}"
_IMPORT = "/office/import/{token}"
_BUNDLES = "/office/bundles/{token}"
LIST_LIMIT = sheets.FILE_BYTES // 2**20 + 1
"""MiB of an uploaded list: what `server.lists` reads, and the form around it."""

_PERSON = "/office/people/{person}"

PAGES = (
    Page("GET", "/office/login", login.show, None),
    Page("POST", "/office/login", login.enter, None),
    Page("GET", "/office/first", login.show_first, None),
    Page("POST", "/office/first", login.set_first, None),
    Page("POST", "/office/language", login.choose_language, None),
    Page("POST", "/office/logout", login.leave, READERS),
    Page("GET", "/office", coverage.show, READERS),
    Page("POST", "/office/clock", timekeeping.confirm, ADMINS),
    Page("GET", "/office/account", account.show, READERS),
    Page("POST", "/office/account/password", account.change_password, READERS),
    Page("GET", "/office/account/second", account.begin_second, ADMINS),
    Page("POST", "/office/account/second", account.enable_second, ADMINS),
    Page("GET", "/office/campaign", campaign.show, READERS),
    Page("GET", "/office/campaign/new", campaign.show_new, ADMINS),
    Page("POST", "/office/campaign/new", campaign.edit_new, ADMINS),
    Page("GET", "/office/campaign/{campaign}/edit", campaign.show_edit, ADMINS),
    Page("POST", "/office/campaign/{campaign}/edit", campaign.edit, ADMINS),
    Page("GET", "/office/wordings/{kind}", wordings.show, ADMINS),
    Page("POST", "/office/wordings/{kind}", wordings.edit, ADMINS),
    Page("GET", "/office/households", households.show_all, STAFF),
    Page("GET", "/office/hamlets/{hamlet}", households.show_hamlet, STAFF),
    Page("POST", "/office/search", households.search, STAFF),
    Page("GET", _HOUSEHOLD, record.show, STAFF),
    Page("GET", _HOUSEHOLD + "/edit", edit.show, STAFF),
    Page("POST", _HOUSEHOLD + "/edit", edit.correct, STAFF),
    Page("POST", _HOUSEHOLD + "/withdraw", edit.withdraw, STAFF),
    Page("GET", _CHOICE, choosing.show, STAFF),
    Page("POST", _CHOICE, choosing.choose, STAFF),
    Page("GET", _HISTORY, story.show, STAFF),
    Page("POST", _HISTORY, story.restore, STAFF),
    Page("GET", "/office/review", queue.show, STAFF),
    Page("POST", "/office/review", queue.approve, STAFF),
    Page("GET", _RECORD, reviewing.show, STAFF),
    Page("POST", _RECORD, reviewing.decide, STAFF),
    Page("GET", "/office/models", models.show_all, STAFF),
    Page("GET", "/office/models/new", models.show_new, STAFF),
    Page("POST", "/office/models/new", models.add, STAFF),
    Page("GET", _MODEL, models.show, STAFF),
    Page("GET", _MODEL + "/edit", models.show_edit, STAFF),
    Page("POST", _MODEL + "/edit", models.correct, STAFF),
    Page("GET", "/office/units", units.show_all, STAFF),
    Page("GET", "/office/units/new", units.show_new, STAFF),
    Page("POST", "/office/units/new", units.add, STAFF),
    Page("GET", _UNIT, units.show, STAFF),
    Page("GET", _UNIT + "/edit", units.show_edit, STAFF),
    Page("POST", _UNIT + "/edit", units.correct, STAFF),
    Page("POST", _UNIT + "/withdraw", units.withdraw, STAFF),
    Page("GET", "/office/inspections", inspections.show_all, STAFF),
    Page("GET", "/office/inspections/{hamlet}/{ulid}", inspections.show, STAFF),
    Page("GET", "/office/checklists", checklists.show_all, STAFF),
    Page("POST", "/office/checklists/library", checklists.add_library, ADMINS),
    Page("GET", "/office/checklists/new", checklists.show_new, ADMINS),
    Page("POST", "/office/checklists/new", checklists.edit_new, ADMINS),
    Page("GET", _CHECKLIST, checklists.show, STAFF),
    Page("GET", _CHECKLIST + "/edit", checklists.show_edit, ADMINS),
    Page("POST", _CHECKLIST + "/edit", checklists.edit, ADMINS),
    Page("GET", "/office/outreach", outreaches.show, STAFF),
    Page("GET", "/office/bulletins", bulletins.show_all, STAFF),
    Page("GET", "/office/bulletins/new", bulletins.show_new, STAFF),
    Page("POST", "/office/bulletins/new", bulletins.add, STAFF),
    Page("GET", _BULLETIN + "/edit", bulletins.show_edit, STAFF),
    Page("POST", _BULLETIN + "/edit", bulletins.correct, STAFF),
    Page("GET", "/office/photos/{hamlet}/{sha256}", photos.show, STAFF),
    Page("POST", "/office/photos/{hamlet}/{sha256}/erase", photos.erase, ADMINS),
    Page("GET", _HOUSEHOLD + "/rights", rights.show, ADMINS),
    Page("POST", _HOUSEHOLD + "/rights/export", rights.export, ADMINS),
    Page("POST", _HOUSEHOLD + "/rights/erase", rights.erase, ADMINS),
    Page("GET", "/office/duplicates", duplicates.show, STAFF),
    Page("POST", "/office/duplicates", duplicates.settle, STAFF),
    Page("GET", "/office/moves", moves.show, ADMINS),
    Page("POST", "/office/moves", moves.step, ADMINS),
    Page("GET", "/office/quarantine", quarantine.show, STAFF),
    Page("POST", "/office/quarantine", quarantine.decide, STAFF),
    Page("GET", "/office/quarantine/{number}", quarantine.show_one, STAFF),
    Page("POST", "/office/quarantine/{number}", quarantine.decide_one, STAFF),
    Page("POST", "/office/restore/end", restoring.end, ADMINS),
    Page("GET", "/office/bundles", bundles.show, STAFF),
    Page("POST", "/office/bundles", bundles.hand_in, STAFF, bundles.LIMIT, bundles.FILES),
    Page("GET", _BUNDLES, bundles.show_result, STAFF),
    Page("GET", _BUNDLES + "/receipts", bundles.receipts, STAFF),
    Page("GET", "/office/people", people.show_all, ADMINS),
    Page("GET", "/office/people/new", people.show_new, ADMINS),
    Page("POST", "/office/people/new", people.add, ADMINS),
    Page("GET", _PERSON, people.show, ADMINS),
    Page("POST", _PERSON + "/invite", people.invite, ADMINS),
    Page("POST", _PERSON + "/link", people.link, ADMINS),
    Page("GET", _PERSON + "/invitation", people.show_once, ADMINS),
    Page("POST", _PERSON + "/hamlets", people.give_hamlets, ADMINS),
    Page("POST", _PERSON + "/void", people.void, ADMINS),
    Page("POST", _PERSON + "/revoke", people.revoke, ADMINS),
    Page("POST", _PERSON + "/return", people.let_return, ADMINS),
    Page("POST", "/office/devices/{device}/revoke", people.revoke_phone, ADMINS),
    Page("POST", "/office/devices/{device}/confirm", people.confirm_phone, ADMINS),
    Page("GET", "/office/recovery", recoveries.show, ADMINS),
    Page("POST", "/office/recovery/{request}", recoveries.decide, ADMINS),
    Page("GET", "/office/import", importing.show, ADMINS),
    Page("POST", "/office/import", importing.upload, ADMINS, LIST_LIMIT),
    Page("GET", _IMPORT, importing.show_preview, ADMINS),
    Page("POST", _IMPORT, importing.settle, ADMINS),
    Page("POST", _IMPORT + "/confirm", importing.confirm, ADMINS),
    Page("POST", _IMPORT + "/cancel", importing.cancel, ADMINS),
    Page("GET", "/office/audit", auditing.show, ADMINS),
    Page("POST", "/office/audit", auditing.verify, ADMINS),
)


def routes() -> list[BaseRoute]:
    """Every page behind its gate, and the static files."""
    pages = [
        Route(page.path, gate(page.handler, page.roles, page.limit, page.files), methods=[page.method])
        for page in PAGES
    ]
    return [*pages, Mount("/office/static", StaticFiles(directory=STATIC))]
