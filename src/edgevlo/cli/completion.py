"""What a shell completes after `-m` and in the place of a bundle: models of this machine, and folders."""

import click
from click.shell_completion import CompletionItem
from click.types import StringParamType


class ModelName(StringParamType):
    """A bundle folder, the name of a bundle, or a hub id."""

    name = "bundle"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the bundles whose names begin like this; the shell adds folders."""
        from edgevlo.models.list import bundles, local_bundles

        names = dict.fromkeys(one.name for one in (*bundles(), *local_bundles()))
        found = [CompletionItem(name) for name in names if name.startswith(incomplete)]
        return [CompletionItem(incomplete, type="dir"), *found]


class TargetName(StringParamType):
    """A kind of device; the command checks it."""

    name = "target"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the targets whose names begin like this."""
        targets = ("cpu", "cuda", "rtx", "tensorrt")
        return [CompletionItem(name) for name in targets if name.startswith(incomplete)]
