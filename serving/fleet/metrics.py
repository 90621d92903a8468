"""Metrics of many engines as one page of Prometheus's text format: each sample says whose it is."""

import re
from collections.abc import Mapping
from typing import Final

_SAMPLE: Final = re.compile(r"(?P<name>[a-z_]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)")


def joined(pages: Mapping[str, str]) -> str:
    """Return the pages of engines, by their names, as one, in which the samples of a metric stand together."""
    families: dict[str, list[str]] = {}
    metric: list[str] = []
    for replica, page in pages.items():
        for line in page.splitlines():
            if line.startswith("# HELP "):
                metric = families.setdefault(line.split()[2], [])
            found = _SAMPLE.fullmatch(line)
            if found is not None:
                labels = ",".join(filter(None, [f'replica="{replica}"', found["labels"]]))
                metric.append(f"{found['name']}{{{labels}}} {found['value']}")
            elif line not in metric:
                metric.append(line)
    return "".join(f"{line}\n" for lines in families.values() for line in lines)
