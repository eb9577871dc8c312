"""The exceptions of hardware: one tree under `qsim.errors.QsimError`.

::

    QsimError
    └── DeviceError (RuntimeError)         anything a device or its vendor's software refuses
        ├── CredentialsError               no credentials, or ones that are not accepted
        ├── RejectedProgram                a program that the device cannot take
        ├── DeviceBusy                     offline, reserved, or a full queue: try again later
        ├── BudgetExceeded                 more submissions or shots than the user allowed
        ├── InvalidReply                   a reply that is not what was asked for
        ├── JobFailed (JobError)           it ended without a result; says what the vendor said
        ├── JobTimeout (JobError)          no result in time; the job lives on
        └── JobCancelled (JobError)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from qsim import errors as core
from qsim.errors import QsimError

__all__ = [
    "BudgetExceeded",
    "CredentialsError",
    "DeviceBusy",
    "DeviceError",
    "InvalidReply",
    "JobCancelled",
    "JobFailed",
    "JobTimeout",
    "RejectedProgram",
    "Secret",
    "vendor_errors",
    "vendor_words",
]

MAX_WORDS = 2_000
"""Characters of a vendor's message that are passed on."""


class DeviceError(QsimError, RuntimeError):
    """A device, or its vendor's software, refused or failed."""


class CredentialsError(DeviceError):
    """There are no credentials, or they are not accepted."""


class RejectedProgram(DeviceError):
    """The device cannot take this program."""


class DeviceBusy(DeviceError):
    """The device is offline, reserved, or its queue is full. Try again later."""


class BudgetExceeded(DeviceError):
    """More submissions or shots than the user allowed; nothing was submitted."""


class InvalidReply(DeviceError):
    """A reply that is not what was asked for; nothing of it was used."""


class JobFailed(DeviceError, core.JobError):
    """The job ended without a result."""


class JobTimeout(DeviceError, core.JobTimeout):
    """The result did not come in time. The job is alive: ask again."""


class JobCancelled(DeviceError, core.JobCancelled):
    """The job was cancelled before it had a result."""


class Secret:
    """A token or password: never printed, never saved, compared by value.

    Args:
        text: what it is.

    Example:
        >>> from hardware.errors import Secret
        >>> Secret("a-token"), f"{Secret('a-token')}"
        (Secret(***), '***')
    """

    __slots__ = ("_text",)

    def __init__(self, text: str):
        self._text = str(text)

    def reveal(self) -> str:
        """The text, for the vendor's software alone."""
        return self._text

    def hidden_in(self, words: str) -> str:
        """Words with the secret struck out."""
        return words.replace(self._text, "***") if self._text else words

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(("secret", self._text))

    def __str__(self) -> str:
        return "***"

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> str:
        raise TypeError("A Secret cannot be copied out of this process.")


def vendor_words(words: object, secrets: Sequence[Secret] = ()) -> str:
    """What a vendor said, on one line of at most `MAX_WORDS` characters, credentials struck out."""
    text = str(words)
    for secret in secrets:
        text = secret.hidden_in(text)
    return " ".join(text.split())[:MAX_WORDS]


@contextmanager
def vendor_errors(
    device: str,
    table: Mapping[type[BaseException], type[DeviceError]],
    doing: str,
    secrets: tuple[Secret, ...] = (),
) -> Iterator[None]:
    """Raise what a vendor's software raises as one of ours: that of the most special class in the table.

    Args:
        device: its name. table: the vendor's exception -> ours; others become DeviceError.
        doing: what was being done, as in "submitting". secrets: struck out of the vendor's words.
    """
    try:
        yield
    except QsimError:
        raise
    except Exception as failure:
        ours = next((table[kind] for kind in type(failure).__mro__ if kind in table), DeviceError)
        words = vendor_words(failure, secrets) or "no message"
        # the vendor's own exception may hold credentials in its message: it is not chained
        raise ours(f"Device `{device}`, {doing}: {type(failure).__name__}: {words}") from None
