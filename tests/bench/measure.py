"""Reading the machine: CPU of processes, memory that is really theirs, percentiles."""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import psutil


def family(pid: int) -> list[psutil.Process]:
    """A process and all its children."""
    try:
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu_seconds(pid: int) -> float:
    """CPU of a process and its living children; of this very process itself only: the others are its children."""
    total = 0.0
    for each in [psutil.Process()] if pid == os.getpid() else family(pid):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += (
            times.user
            + times.system
            + (times.children_user + times.children_system if each.pid == pid != os.getpid() else 0)
        )
    return total


def pss_megabytes(pids: Iterable[int]) -> float:
    """Memory of these processes and their children, shared pages counted once (sum of PSS)."""
    total = 0
    for pid in pids:
        for each in family(pid):
            try:
                total += each.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
    return total / 1e6


@dataclass
class Stopwatch:
    """CPU per process between two moments."""

    pids: Mapping[str, int]
    began: dict[str, float] = field(default_factory=dict)
    clock: float = 0.0

    def start(self) -> "Stopwatch":
        """From now on."""
        self.began = {name: cpu_seconds(pid) for name, pid in self.pids.items()}
        self.clock = time.perf_counter()
        return self

    def stop(self) -> tuple[float, dict[str, float]]:
        """Seconds passed, and CPU milliseconds each process used meanwhile."""
        passed = time.perf_counter() - self.clock
        return passed, {name: 1000 * (cpu_seconds(pid) - self.began[name]) for name, pid in self.pids.items()}


def percentile(values: list[float], share: float) -> float:
    """The value below which this share lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")
