"""The device interface of QDMI 1.4, by ctypes: its functions, its status codes, and replies that nothing trusts."""

from __future__ import annotations

import ctypes
import mmap
import re
import struct
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from ctypes import POINTER, byref, c_char_p, c_double, c_int, c_size_t, c_void_p
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from hardware.errors import CredentialsError, DeviceBusy, DeviceError, InvalidReply, RejectedProgram, Secret
from qsim.errors import BackendError

__all__ = [
    "DeviceProperty",
    "JobProperty",
    "OperationProperty",
    "ProgramFormat",
    "RawJob",
    "ResultKind",
    "Session",
    "SessionParameter",
    "SiteProperty",
]

VERSION = (1, 4)
"""The version of QDMI whose functions and numbers these are."""

MAX_BYTES = 64 << 20
"""The most that a property or a result may claim to be."""

MAX_PREFIX = 100


class SessionParameter(IntEnum):
    """What a session may be told before it begins."""

    BASE_URL = 0
    TOKEN = 1
    AUTH_FILE = 2
    AUTH_URL = 3
    USERNAME = 4
    PASSWORD = 5
    CUSTOM2 = 999_999_996


class DeviceProperty(IntEnum):
    """What may be asked about a device."""

    NAME = 0
    LIBRARY_VERSION = 3
    NUM_QUBITS = 4
    SITES = 5
    OPERATIONS = 6
    COUPLING_MAP = 7
    DURATION_UNIT = 12
    DURATION_SCALE = 13
    PROGRAM_FORMATS = 15
    CUSTOM1 = 999_999_995


class SiteProperty(IntEnum):
    """What may be asked about a site."""

    T1 = 1
    T2 = 2
    NAME = 3
    IS_ZONE = 7


class OperationProperty(IntEnum):
    """What may be asked about an operation, at sites or in general."""

    NAME = 0
    NUM_QUBITS = 1
    NUM_PARAMS = 2
    DURATION = 3
    FIDELITY = 4
    SITES = 9


class JobProperty(IntEnum):
    """What may be asked about a job."""

    ID = 0
    QUEUE_POSITION = 4


class ProgramFormat(IntEnum):
    """The formats of programs that are written here."""

    QASM2 = 0
    QASM3 = 1


class ResultKind(IntEnum):
    """The results of a program that are read here."""

    SHOTS = 0
    COUNT_KEYS = 1
    COUNT_VALUES = 2


SHOTS_PARAMETER = 2
ALIVE = range(1, 4)
"""Job states submitted, queued, running."""

NOT_FOUND, INVALID_ARGUMENT, NOT_SUPPORTED, BAD_STATE = -5, -7, -9, -10

STATUS: dict[int, tuple[str, str, type[DeviceError]]] = {
    -1: ("QDMI_ERROR_FATAL", "it failed, and gives no reason", DeviceError),
    -2: ("QDMI_ERROR_OUTOFMEM", "it is out of memory", DeviceError),
    -3: ("QDMI_ERROR_NOTIMPLEMENTED", "it has not that function", DeviceError),
    -4: ("QDMI_ERROR_LIBNOTFOUND", "a library that it needs is missing", DeviceError),
    NOT_FOUND: ("QDMI_ERROR_NOTFOUND", "there is no such thing", DeviceError),
    -6: ("QDMI_ERROR_OUTOFRANGE", "a number is out of range", DeviceError),
    INVALID_ARGUMENT: ("QDMI_ERROR_INVALIDARGUMENT", "it does not take this argument", DeviceError),
    -8: ("QDMI_ERROR_PERMISSIONDENIED", "permission denied; check the credentials", CredentialsError),
    NOT_SUPPORTED: ("QDMI_ERROR_NOTSUPPORTED", "it does not support this", DeviceError),
    BAD_STATE: ("QDMI_ERROR_BADSTATE", "it is in the wrong state for this", DeviceError),
    -11: ("QDMI_ERROR_TIMEOUT", "it took too long; try again later", DeviceBusy),
}
"""Status -> the interface's name for it, in words, and our error. Positive ones are warnings."""

_ASK = (c_size_t, c_void_p, POINTER(c_size_t))  # size of the buffer, the buffer, size of the answer
_HANDLE = c_void_p
_OUT = POINTER(c_void_p)

FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "initialize": (),
    "finalize": (),
    "session_alloc": (_OUT,),
    "session_set_parameter": (_HANDLE, c_int, c_size_t, c_void_p),
    "session_init": (_HANDLE,),
    "session_free": (_HANDLE,),
    "session_query_device_property": (_HANDLE, c_int, *_ASK),
    "session_query_site_property": (_HANDLE, _HANDLE, c_int, *_ASK),
    "session_query_operation_property": (
        _HANDLE,
        _HANDLE,
        c_size_t,
        _OUT,
        c_size_t,
        POINTER(c_double),
        c_int,
        *_ASK,
    ),
    "session_create_device_job": (_HANDLE, _OUT),
    "session_retrieve_device_job_by_id": (_HANDLE, c_char_p, _OUT),
    "job_set_parameter": (_HANDLE, c_int, c_size_t, c_void_p),
    "job_set_programs": (_HANDLE, c_int, c_size_t, POINTER(c_size_t), POINTER(c_char_p)),
    "job_get_program_status": (_HANDLE, c_size_t, POINTER(c_int)),
    "job_query_property": (_HANDLE, c_int, *_ASK),
    "job_submit": (_HANDLE,),
    "job_cancel": (_HANDLE,),
    "job_check": (_HANDLE, POINTER(c_int)),
    "job_get_results": (_HANDLE, c_size_t, c_int, *_ASK),
    "job_free": (_HANDLE,),
}
"""The functions of `<prefix>_QDMI_device_...` and their arguments; those that free give nothing back."""

_FIRST = b"QDMI_device_initialize\0"


class Library:
    """A QDMI device library, loaded and initialised once in a process and finalised at its end; see `library`."""

    def __init__(self, path: Path, prefix: str | None):
        try:
            found = _prefixes(path) if prefix is None else [prefix]
            if not found:
                raise BackendError(f"{path} is no QDMI device library: it has no function ..._QDMI_device_initialize.")
            loaded = ctypes.CDLL(str(path))
        except OSError as error:
            raise BackendError(f"QDMI device library {path} cannot be loaded: {error}.") from None
        found = [p for p in found if hasattr(loaded, f"{p}QDMI_device_initialize")]
        if len(found) != 1:
            raise BackendError(
                f"{path} must export one function ..._QDMI_device_initialize, but exports {len(found)}. "
                "Name its prefix with prefix=, or its file rightly."
            )
        self.path, self.prefix = path, found[0].removesuffix("_")
        self._lock = threading.RLock()
        self._functions: dict[str, Any] = {}
        for name, arguments in FUNCTIONS.items():
            function = getattr(loaded, f"{found[0]}QDMI_device_{name}", None)
            if function is None:
                raise BackendError(
                    f"QDMI device library {path} lacks {found[0]}QDMI_device_{name}, which QDMI "
                    f"{_dotted(VERSION)} has. Install a version of it for QDMI {_dotted(VERSION)}."
                )
            function.argtypes, function.restype = arguments, None if name.endswith("_free") else c_int
            self._functions[name] = function
        self.call(str(path), "initialize")
        weakref.finalize(self, self._functions["finalize"])

    def call(
        self,
        device: str,
        name: str,
        *arguments: Any,
        allowed: tuple[int, ...] = (),
        refused: type[DeviceError] | None = None,
    ) -> int:
        """Call a function and give its status, or raise.

        Args:
            device: whom messages speak of. name: of the function, without prefix.
            allowed: errors that the caller knows how to take.
            refused: what arguments that the library does not take or support become.
        """
        with self._lock:
            status = self._functions[name](*arguments)
        if status is None or status >= 0 or status in allowed:
            return status or 0
        word, meaning, error = STATUS.get(status, (f"status {status}", "which QDMI does not know", DeviceError))
        if refused is not None and status in (INVALID_ARGUMENT, NOT_SUPPORTED):
            error = refused
        raise error(f"Device `{device}`: the library's function {name} said {word}: {meaning}.")


@lru_cache(maxsize=64)
def library(path: Path, prefix: str | None = None) -> Library:
    """The library at an absolute path, loaded at the first call.

    Raises:
        BackendError: a relative path, no file, no QDMI device library, or one that lacks functions.
    """
    if not path.is_absolute():
        raise BackendError(
            f"A QDMI device library must be named by its absolute path, but {str(path)!r} is relative. Try "
            f"{str(path.resolve())!r}."
        )
    if not path.is_file():
        raise BackendError(f"There is no QDMI device library at {path}. Check the path.")
    return Library(path, None if prefix is None else f"{prefix}_" if prefix else "")


class Session:
    """A session with a device: whom it speaks with, what it asks, and the jobs it makes.

    Args:
        path: of the library. prefix: of its functions; None finds it among its exported names.
        device: whom messages speak of.
        parameters: what the session is told before it begins.

    Raises:
        BackendError: see `library`; another version of QDMI. CredentialsError: they are refused.
    """

    def __init__(self, path: Path, prefix: str | None, device: str, parameters: Mapping[SessionParameter, Secret]):
        self.library, self.device = library(path, prefix), device
        handle = c_void_p()
        self.call("session_alloc", byref(handle))
        self.handle = handle.value
        weakref.finalize(self, _free, self.library, "session_free", self.handle)
        for parameter, secret in parameters.items():
            text = secret.reveal().encode() + b"\0"
            status = self.call(
                "session_set_parameter", self.handle, parameter, len(text), text, allowed=(NOT_SUPPORTED,)
            )
            if status == NOT_SUPPORTED:
                word = parameter.name.lower()
                raise CredentialsError(f"Device `{device}` takes no {word}. Leave out the argument {word}=.")
        self.call("session_init", self.handle)
        self._check_version()

    def call(self, name: str, *arguments: Any, **options: Any) -> int:
        """See `Library.call`."""
        return self.library.call(self.device, name, *arguments, **options)

    def read(self, name: str, *arguments: Any, allowed: tuple[int, ...] = (NOT_SUPPORTED,)) -> bytes | None:
        """What a function answers, of a size that the library says; None where it has no answer.

        Raises:
            InvalidReply: a size above `MAX_BYTES`, or another one at the second look.
        """
        size = c_size_t()
        if self.call(name, *arguments, 0, None, byref(size), allowed=allowed) < 0:
            return None
        if size.value > MAX_BYTES:
            raise self.invalid(f"{size.value} bytes to {name}, more than the {MAX_BYTES} that are taken")
        if not size.value:
            return b""
        buffer, length = ctypes.create_string_buffer(size.value), c_size_t(size.value)
        self.call(name, *arguments, size.value, buffer, byref(length))
        if length.value > size.value:
            raise self.invalid(f"two sizes to {name}")
        return buffer.raw[: length.value]

    def of_device(self, prop: DeviceProperty) -> bytes | None:
        """A property of the device."""
        return self.read("session_query_device_property", self.handle, prop)

    def of_site(self, site: int, prop: SiteProperty) -> bytes | None:
        """A property of a site."""
        return self.read("session_query_site_property", self.handle, site, prop)

    def of_operation(self, operation: int, prop: OperationProperty, sites: Sequence[int] = ()) -> bytes | None:
        """A property of an operation at some sites, or in general."""
        places = (c_void_p * len(sites))(*sites) if sites else None
        return self.read("session_query_operation_property", self.handle, operation, len(sites), places, 0, None, prop)

    def create(self) -> RawJob:
        """A new job."""
        handle = c_void_p()
        self.call("session_create_device_job", self.handle, byref(handle))
        return RawJob(self, handle.value)

    def retrieve(self, id: str) -> RawJob | None:
        """A job that was submitted before; None where the library keeps none."""
        handle = c_void_p()
        status = self.call(
            "session_retrieve_device_job_by_id", self.handle, id.encode(), byref(handle), allowed=(NOT_SUPPORTED,)
        )
        return None if status == NOT_SUPPORTED else RawJob(self, handle.value)

    # ---------------------------------------------------------------- answers as values

    def text(self, raw: bytes | None) -> str | None:
        """A text: UTF-8 and one NUL, at its end."""
        if raw is None:
            return None
        if raw.find(b"\0") != len(raw) - 1:
            raise self.invalid("a text that does not end with its only NUL")
        try:
            return raw[:-1].decode()
        except UnicodeDecodeError:
            raise self.invalid("a text that is not UTF-8") from None

    def number(self, raw: bytes | None, kind: str = "Q") -> Any:
        """A number: "Q" an unsigned one of 64 bits, "d" a real one, "?" a truth value."""
        if raw is None:
            return None
        if len(raw) != struct.calcsize(kind):
            raise self.invalid(f"{len(raw)} bytes for a number of {struct.calcsize(kind)}")
        return struct.unpack(f"={kind}", raw)[0]

    def numbers(self, raw: bytes | None, kind: str = "Q") -> tuple[int, ...]:
        """Numbers, or handles; () where there is no answer."""
        size = struct.calcsize(kind)
        if raw is None or not raw:
            return ()
        if len(raw) % size:
            raise self.invalid(f"{len(raw)} bytes for numbers of {size}")
        return struct.unpack(f"={len(raw) // size}{kind}", raw)

    def invalid(self, words: str) -> InvalidReply:
        """The error for an answer that cannot be."""
        return InvalidReply(f"Device `{self.device}` answered {words}. Nothing of the answer was used.")

    def _check_version(self) -> None:
        text = self.text(self.of_device(DeviceProperty.LIBRARY_VERSION)) or ""
        found = re.fullmatch(r"(\d{1,4})\.(\d{1,4})(\.\d{1,4})?", text)
        version = (int(found[1]), int(found[2])) if found else None
        if version is None or version[0] != VERSION[0] or version < VERSION:
            what = "does not say which version of QDMI it is for" if version is None else f"is for QDMI {text}"
            raise BackendError(
                f"QDMI device library {self.library.path} {what}, but QDMI {_dotted(VERSION)} or a later "
                f"{VERSION[0]}.x is needed. Install a version of the library for that."
            )


class RawJob:
    """A job of a session, freed with this object.

    A library that cannot find jobs again loses a job that is freed, and may wait for its end first;
    such a job is cancelled before.
    """

    def __init__(self, session: Session, handle: int | None):
        self.session, self.handle = session, handle
        weakref.finalize(self, _drop, session, handle)

    def submit(
        self, texts: Sequence[str], format: ProgramFormat, shots: int, parameters: Mapping[int, bytes] | None = None
    ) -> None:
        """Hand in programs, each to be run as often.

        Args:
            parameters: further ones of the job, number -> bytes.

        Raises:
            RejectedProgram: the library does not take the programs, so many of them, or so many shots.
        """
        call, programs = self.session.call, [text.encode() + b"\0" for text in texts]
        for parameter, value in {SHOTS_PARAMETER: bytes(c_size_t(shots)), **(parameters or {})}.items():
            call("job_set_parameter", self.handle, parameter, len(value), value, refused=RejectedProgram)
        sizes = (c_size_t * len(programs))(*map(len, programs))
        pointers = (c_char_p * len(programs))(*programs)
        call("job_set_programs", self.handle, format, len(programs), sizes, pointers, refused=RejectedProgram)
        call("job_submit", self.handle, refused=RejectedProgram)

    def state(self) -> int:
        """Where it is, by QDMI's number."""
        state = c_int()
        self.session.call("job_check", self.handle, byref(state))
        return state.value

    def state_of_program(self, index: int) -> int | None:
        """Where one program is; None where that is not known."""
        state, unknown = c_int(), (NOT_SUPPORTED, BAD_STATE, -6)
        status = self.session.call("job_get_program_status", self.handle, index, byref(state), allowed=unknown)
        return None if status < 0 else state.value

    def property(self, prop: JobProperty) -> bytes | None:
        """A property; None where it has none now."""
        return self.session.read("job_query_property", self.handle, prop, allowed=(NOT_SUPPORTED, BAD_STATE))

    def result(self, index: int, kind: ResultKind) -> bytes | None:
        """A result of one program; None where the library has no results of that kind."""
        return self.session.read("job_get_results", self.handle, index, kind)

    def cancel(self) -> None:
        """Cancel it; nothing where it has ended."""
        self.session.call("job_cancel", self.handle, allowed=(INVALID_ARGUMENT, BAD_STATE))


def _drop(session: Session, handle: int | None) -> None:
    """Free a job; see `RawJob`."""
    state, other = c_int(), c_void_p()
    with suppress(DeviceError):
        session.call("job_check", handle, byref(state))
        if state.value in ALIVE and not _found_again(session, handle, other):
            session.call("job_cancel", handle, allowed=(INVALID_ARGUMENT, BAD_STATE))
    if other.value is not None:
        _free(session.library, "job_free", other.value)
    _free(session.library, "job_free", handle)


def _found_again(session: Session, handle: int | None, other: c_void_p) -> bool:
    """True where the library could find an unfinished job again once it is freed."""
    raw = session.read("job_query_property", handle, JobProperty.ID, allowed=(NOT_SUPPORTED, BAD_STATE))
    unknown = (NOT_SUPPORTED, NOT_FOUND, INVALID_ARGUMENT)
    return raw is not None and 0 <= session.call(
        "session_retrieve_device_job_by_id", session.handle, raw, byref(other), allowed=unknown
    )


def _free(where: Library, name: str, handle: int | None) -> None:
    where.call(str(where.path), name, handle)


def _prefixes(path: Path) -> list[str]:
    """What stands before QDMI_device_initialize among the names in a file, each once; nothing is loaded."""
    found = set()
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return []
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            at = data.find(_FIRST)
            while at >= 0:
                before = data[max(0, at - MAX_PREFIX) : at]
                word = re.search(rb"[A-Za-z0-9_]*$", before)
                found.add(word[0].decode() if word else "")
                at = data.find(_FIRST, at + 1)
    return sorted(found | {name.lstrip("_") for name in found})


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
