"""Print the lower bound of every dependency as a pin, one a line: what `make test-oldest` installs."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
extras = project["optional-dependencies"]
wanted = [*project["dependencies"], *(one for extra in ("export", "hub", "serve", "dev") for one in extras[extra])]
for bound in map(re.compile(r"([A-Za-z0-9_.-]+)>=([0-9.]+)").match, wanted):
    if bound is not None:
        print(f"{bound[1]}=={bound[2]}")
