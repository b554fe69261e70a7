"""Runs a module without root's right to write what is read-only: tests often run as root.

python -m tests.doubles.mortal MODULE ARGUMENT...
"""

import ctypes
import os
import sys
from typing import Final

PR_CAPBSET_DROP: Final = 24
CAP_DAC_OVERRIDE: Final = 1

if __name__ == "__main__":
    if os.geteuid() == 0 and ctypes.CDLL(None, use_errno=True).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_CAPBSET_DROP) was refused")
    os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])  # noqa: S606 - the tests' own module
