"""`edgevlo build-engines`: the TensorRT engines of a bundle, for the GPU of this machine."""

import click


@click.command("build-engines")
@click.argument("bundle")
def build_engines(bundle: str) -> None:
    """Build the TensorRT engines of BUNDLE, one of target tensorrt, for the GPU of this machine."""
    from edgevlo.models.find import find
    from edgevlo.runtime.bundle import open_bundle
    from edgevlo.runtime.gpu import engine_cache

    from ..progress import progress_bar

    opened = open_bundle(find(bundle))
    engine_cache.check_bundle(opened)  # before the GPU is looked for
    device = engine_cache.Device.find()
    with progress_bar() as progress:
        folder = engine_cache.build_engines(opened, device, progress)
    click.echo(folder)
