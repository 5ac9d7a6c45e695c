"""What the engine asks of uvicorn, where one serves it by that."""

import logging

import uvicorn

from sync.http.answers import Cut


def configured(config: uvicorn.Config) -> uvicorn.Config:
    """The configuration, with what is right for an engine."""
    logging.getLogger("uvicorn.error").addFilter(_is_an_error)
    return config


def _is_an_error(record: logging.LogRecord) -> bool:
    """An answer that is cut off because its database was dropped is none."""
    return not (isinstance(record.exc_info, tuple) and isinstance(record.exc_info[1], Cut))
