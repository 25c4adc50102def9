"""How far a run is: on a terminal, in a notebook, or as a caller's function hears it."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any, Callable, Union

#: True: a bar; False or None: nothing; or a function of the share done and the stage, which stops the run with False.
Progress = Union[bool, None, Callable[[float, str], Any]]

#: What runs call: False stops them.
Report = Callable[[float, str], bool]


@contextlib.contextmanager
def reporting(progress: Progress, what: str = "terralume") -> Iterator[Report]:
    """What a run calls ten times a second. Ctrl-C is heard then, also when nobody wants to see anything."""
    if callable(progress):
        hear = progress
        yield lambda share, stage: hear(share, stage) is not False
    elif progress:
        with _bar(what) as update:
            yield update
    else:
        yield lambda share, stage: True


@contextlib.contextmanager
def _bar(what: str) -> Iterator[Report]:
    """A bar of tqdm, which knows notebooks, or a line of our own."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        with _line(what) as update:
            yield update
        return
    with tqdm(total=100, desc=what, unit="%", bar_format="{desc}: {percentage:3.0f}% |{bar}| {elapsed}") as bar:

        def update(share: float, stage: str) -> bool:
            bar.update(share * 100 - bar.n)
            bar.set_postfix_str(stage, refresh=False)
            return True

        yield update


@contextlib.contextmanager
def _line(what: str) -> Iterator[Report]:
    start, shown = time.monotonic(), [(-1, "")]

    def update(share: float, stage: str) -> bool:
        percent = int(share * 100)
        if (percent, stage) != shown[0]:
            shown[0] = percent, stage
            print(f"\r{what}: {percent:3} % {stage:<12}", end="", file=sys.stderr, flush=True)
        return True

    try:
        yield update
    finally:
        print(f" {time.monotonic() - start:.1f} s", file=sys.stderr)
