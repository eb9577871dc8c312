"""`qsim calibrate`: measure the cost model on this machine."""

from __future__ import annotations

import argparse

from qsim import calibration


def calibrate(arguments: argparse.Namespace) -> int:
    """Measure, write the file, and print the old and the new prices."""
    report = calibration.calibrate()
    print(report)
    print(f"written to {report.path}; programs started from now on with QSIM_CACHE_DIR set go by it")
    return 0
