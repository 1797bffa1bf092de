"""Threads that work on one image together: they wait in native code, so that waking them costs microseconds."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from threading import Lock, Thread

import numpy as np

from neurocuda.backends.cpu.llvm.machine import function_addresses, machine_code, runtime_text
from neurocuda.passes.cpu.llvm.features import features_named

MEMORY = 1024
"""The bytes that a team needs; what is where says runtime.ll."""


class Team:
    """So many threads, one of them the caller's. One job at a time."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._memory = np.zeros(MEMORY + 64, np.uint8)
        self._place = self._memory.ctypes.data + -self._memory.ctypes.data % 64
        self._lock = Lock()
        here = features_named("host")
        names = ("neurocuda_begin", "neurocuda_work", "neurocuda_lead")
        self._keeper, (begin, work, lead) = function_addresses(machine_code(runtime_text(here), here), names)
        self._work = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(work)
        pointers = [ctypes.c_void_p] * 3
        self._lead = ctypes.CFUNCTYPE(None, *pointers, ctypes.c_int64)(lead)
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(begin)(self._place)
        for thread in range(1, threads):
            name = f"neurocuda-{thread}"
            Thread(target=self._work, args=(self._place, thread), name=name, daemon=True).start()

    def try_run(self, function: int, arguments: int) -> bool:
        """Has all threads call `function(arguments, thread, threads, team)`; False where they are busy."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            self._lead(self._place, function, arguments, self.threads)
        finally:
            self._lock.release()
        return True


def team_of(threads: int) -> Team | None:
    """The threads of this process, started at first use; None where the system has no POSIX threads."""
    return None if sys.platform == "win32" else _team(os.getpid(), threads)


@cache
def _team(process: int, threads: int) -> Team:
    """A process that was forked off has none of its parent's threads."""
    del process
    return Team(threads)
