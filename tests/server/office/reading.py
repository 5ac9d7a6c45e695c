"""Reads the office's pages as a browser does: the forms, filled in as they come."""

import re

from tests.server.office.village import Browser


def typed(page: str) -> dict[str, str]:
    """A form as the page fills it in."""
    found = dict(re.findall(r'<input id="f-\w+" name="(\w+)" type="text" value="([^"]*)"', page))
    found |= dict(re.findall(r'<input type="hidden" name="(rev)" value="([^"]*)"', page))
    for name, options in re.findall(r'<select id="f-\w+" name="(\w+)"[^>]*>(.*?)</select>', page, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    found |= dict(re.findall(r'<textarea id="f-\w+" name="(\w+)"[^>]*>([^<]*)</textarea>', page))
    return found


async def opened(browser: Browser, path: str) -> dict[str, str]:
    """The form of a page."""
    return typed((await browser.get(path)).text)
