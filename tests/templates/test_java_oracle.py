"""Not one difference to Java's DecimalFormat, in a million random pairs of a number and a pattern.

The digits are those of JDK 17. From JDK 19 on Double.toString gives the shortest digits (JDK-4511638), which changes
what DecimalFormat makes of some numbers; with another JDK the test says so and is skipped.
"""

import os
import re
import shutil
import subprocess

import pytest

from .java_oracle import compiled_oracle, differences

PAIRS = int(os.environ.get("DOE_SOAK_PAIRS", "1000000"))
JAVA = shutil.which("java") and shutil.which("javac")


def java_version():
    told = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else 0


@pytest.mark.skipif(JAVA is None, reason="no JDK: apt install openjdk-17-jdk-headless")
@pytest.mark.skipif(
    JAVA is not None and not 9 <= java_version() <= 18, reason="the digits are those of JDK 17"
)
def test_every_number_is_written_as_java_writes_it(tmp_path):
    found, tried = differences(compiled_oracle(tmp_path), PAIRS, seed=14)
    assert found == []
    assert tried == PAIRS
