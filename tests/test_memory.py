import platform
import subprocess
import sys

import pytest

HELD = """
import sys
import numpy as np
from translate.memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
for _ in range(2):
    blocks = [np.ones(30 << 20, np.uint8) for _ in range(4)]
    del blocks
print(int(open("/proc/self/statm").read().split()[1]) * 4096)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")
def test_freed_memory_stays_with_the_process():
    def held(how):
        return int(subprocess.run([sys.executable, "-c", HELD, how], capture_output=True, check=True).stdout)

    assert held("keep") - held("no") > 80 << 20
