"""The command line on glasses that cost nothing: ``python fake_command.py build STORE ...``.

With a file ``slow-disk`` in the folder of habits, it writes as to a disk that takes its time.
"""

import os
import time
from pathlib import Path

import fake_glass as fake

import glassdata.engine
import glassdata.systems
from glassdata.__main__ import main

_FSYNC = os.fsync


def slow_fsync(file: int) -> None:
    time.sleep(0.2)
    _FSYNC(file)


if __name__ == "__main__":
    if (Path(os.environ.get("GLASSDATA_FAKE", "")) / "slow-disk").exists():
        os.fsync = slow_fsync
    glassdata.systems.SYSTEMS = fake.SYSTEMS
    glassdata.engine.source_of = lambda structures: fake.source()
    main()
