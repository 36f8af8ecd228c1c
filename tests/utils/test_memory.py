import platform
import subprocess
import sys

import pytest

HELD = """
import sys
import numpy as np
from translate.utils.memory import keep_freed_memory
if sys.argv[1] != "no":
    keep_freed_memory(large=sys.argv[1] == "keep")
for _ in range(2):
    blocks = [np.ones(int(sys.argv[2]) << 20, np.uint8) for _ in range(4)]
    del blocks
print(int(open("/proc/self/statm").read().split()[1]) * 4096)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")
@pytest.mark.parametrize(("how", "megabytes", "kept"), [("keep", 40, 4), ("small", 30, 4), ("small", 40, 0)])
def test_freed_memory_stays_with_the_process(how, megabytes, kept):
    def held(how):
        command = [sys.executable, "-c", HELD, how, str(megabytes)]
        return int(subprocess.run(command, capture_output=True, check=True).stdout)

    assert abs(held(how) - held("no") - (kept * megabytes << 20)) < 30 << 20
