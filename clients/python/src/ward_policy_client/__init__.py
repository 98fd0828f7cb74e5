"""Reads, mirrors and writes the management policies of Osaka City's wards and bureaus."""

from . import contract
from .client import MirrorStep, Row, Snapshot, WardPolicy
from .problem import ProblemError
from .store import Kept, MemoryStore, Store
from .transport import Tagged
from .values import VERSION

__version__ = VERSION
__all__ = [
    "Kept",
    "MemoryStore",
    "MirrorStep",
    "ProblemError",
    "Row",
    "Snapshot",
    "Store",
    "Tagged",
    "WardPolicy",
    "contract",
]
