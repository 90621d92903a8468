"""A few seconds of the fuzz campaign, so that it runs when it is wanted."""

import subprocess
import sys
from pathlib import Path


def test_the_campaign_finds_nothing_in_a_few_seconds() -> None:
    campaign = Path(__file__).parent / "fuzz" / "campaign.py"

    done = subprocess.run(
        [sys.executable, campaign, "--minutes", "0.05", "--seed", "1", "--kind", "picture"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 faults; files outside: none" in done.stdout
