"""What can go wrong between a credential and a grant; `server/problems.py` says it in words."""


class AuthError(Exception):
    """A way in that stays shut."""


class SignInNeeded(AuthError):
    """A page of the office without a session."""


class SignInRefused(AuthError):
    """Name, password or second factor do not fit; which of them is not said."""


class CodeNeeded(AuthError):
    """The password is right, and this account has a second factor that was not given."""


class FormStale(AuthError):
    """A form without this session's CSRF token."""


class RoleMissing(AuthError):
    """Signed in, but this page is for other roles."""


class TooManyAttempts(AuthError):
    """Over the limit. `retry_after` in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class InvitationUnknown(AuthError):
    """No invitation has this code, or it was mistyped."""


class InvitationGone(AuthError):
    """This invitation was used, withdrawn, or is older than its hours."""


class PersonUnknown(AuthError):
    """No person has this id or login name."""


class PersonExists(AuthError):
    """The login name is taken."""


class PasswordTooShort(AuthError):
    """A password below the least length. `least` in characters."""

    def __init__(self, least: int) -> None:
        super().__init__(least)
        self.least = least


class DeviceUnknown(AuthError):
    """No phone has this id."""


class RecoveryUnknown(AuthError):
    """No such recovery request of this phone."""
