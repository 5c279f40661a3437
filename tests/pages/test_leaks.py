"""Nothing is left of pages that are closed. `make leaks` does it a thousand times, and looks at memory too."""

import re
import subprocess
import sys


def test_nothing_is_left_of_pages_that_are_closed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.leaks", "--pages", "20"], capture_output=True, text=True, timeout=120, check=False
    )
    counts = re.findall(r"'(clients|screens|sections|groups)': (\d+)", done.stdout)
    assert len(counts) == 8, done.stderr
    assert {count for _, count in counts} == {"0"}
