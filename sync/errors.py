"""What a peer can get wrong, with CouchDB's status and error name for each.

Raise where you know; `sync.http` turns them into answers in one place.
"""

from typing import ClassVar


class PeerError(Exception):
    """The base: a type fixes `status` and `error`; `reason` is for a person and holds no personal data."""

    status: ClassVar[int] = 400
    error: ClassVar[str] = "bad_request"
    default: ClassVar[str] = "The request cannot be understood."

    def __init__(self, reason: str | None = None) -> None:
        self.reason = self.default if reason is None else reason
        super().__init__(self.reason)


class BadRequest(PeerError):
    """The request is malformed: nothing of it was done."""


class InvalidJSON(BadRequest):
    """The body is no JSON."""

    default = "invalid UTF-8 JSON"


class QueryInvalid(PeerError):
    """A query parameter that cannot be read."""

    error = "query_parse_error"
    default = "Invalid query parameter."


class InvalidName(PeerError):
    """A name that no database may have."""

    error = "illegal_database_name"
    default = (
        "Only lowercase characters (a-z), digits (0-9), and any of the characters _, $, (, ), +, -, and / "
        "are allowed. Must begin with a letter."
    )


class InvalidDocument(PeerError):
    """A document with fields that only the server may write, or that is none."""

    error = "doc_validation"
    default = "Document must be a JSON object"


class IllegalDocId(PeerError):
    """An id that no document may have."""

    error = "illegal_docid"
    default = "Only reserved document ids may start with underscore."


class Unauthorized(PeerError):
    """Who is asking is not known."""

    status = 401
    error = "unauthorized"
    default = "You are not authorized to access this db."


class Forbidden(PeerError):
    """Who is asking is known, and may not."""

    status = 403
    error = "forbidden"
    default = "You are not allowed to do this."


class NotFound(PeerError):
    """What was asked for is not there; the reason says `missing` or `deleted`."""

    status = 404
    error = "not_found"
    default = "missing"


class DatabaseUnknown(NotFound):
    """There is no database of that name, and none could have it."""

    default = "Database does not exist."


class MethodNotAllowed(PeerError):
    """The address exists, but not for this method."""

    status = 405
    error = "method_not_allowed"
    default = "Only other methods are allowed here"


class NotAcceptable(PeerError):
    """None of the forms that the peer accepts can be given."""

    status = 406
    error = "not_acceptable"
    default = "No acceptable form of the answer."


class DocumentConflict(PeerError):
    """The revision written to is not a leaf."""

    status = 409
    error = "conflict"
    default = "Document update conflict."


class PreconditionFailed(PeerError):
    """A stub names an attachment that is not there."""

    status = 412
    error = "missing_stub"
    default = "Attachment stub names an attachment that is not there."


class DatabaseThere(PeerError):
    """A database of that name exists."""

    status = 412
    error = "file_exists"
    default = "The database could not be created, the file already exists."


class TooLarge(PeerError):
    """The request, or one document of it, is over the limit."""

    status = 413
    error = "too_large"
    default = "the request entity is too large"


class DocumentTooLarge(TooLarge):
    """One document is over the limit."""

    error = "document_too_large"


class TooManyDocuments(PeerError):
    """More documents in one request than are taken at once; the reason is how many are."""

    status = 413
    error = "max_bulk_docs_count_exceeded"


class TooManyReads(TooManyDocuments):
    """The same of `_bulk_get`."""

    error = "max_bulk_get_count_exceeded"


class UnsupportedMediaType(PeerError):
    """A body of a content type or encoding that is not taken here."""

    status = 415
    error = "bad_content_type"
    default = "Content-Type must be application/json"


class RangeUnsatisfiable(PeerError):
    """A range that lies outside of the attachment."""

    status = 416
    error = "requested_range_not_satisfiable"
    default = "Requested range not satisfiable"


class TooManyRequests(PeerError):
    """More than the limit lets through."""

    status = 429
    error = "too_many_requests"
    default = "Too many requests; wait a little."


class InvalidOperator(PeerError):
    """A selector with an operator that does not exist."""

    error = "invalid_operator"
    default = "Invalid operator"


class NotImplementedHere(PeerError):
    """What CouchDB does by running JavaScript, which this engine does not."""

    status = 501
    error = "not_implemented"
    default = "Functions in JavaScript are not run here."


class StorageFull(PeerError):
    """The disk is full; nothing of the request was stored."""

    status = 507
    error = "insufficient_storage"
    default = "The server's disk is full: nothing of this request was stored."


class StoreFailed(PeerError):
    """The store cannot go on: why is for the operator, in the log, and not for peers."""

    status = 500
    error = "internal_server_error"
    default = "The server cannot read or write its data. Its log says why."
