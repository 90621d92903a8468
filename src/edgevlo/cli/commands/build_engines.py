"""`edgevlo build-engines`: the TensorRT engines of a bundle, for the GPU of this machine."""

import click


@click.command("build-engines")
@click.argument("bundle")
def build_engines(bundle: str) -> None:
    """Build the TensorRT engines of BUNDLE, one of target tensorrt, for the GPU of this machine, and check them.

    The engines replay the bundle's own outputs; what is outside its limits is refused.
    """
    from edgevlo.models.find import find
    from edgevlo.runtime.bundle import open_bundle
    from edgevlo.runtime.engine import Engine
    from edgevlo.runtime.gpu import engine_cache
    from edgevlo.runtime.self_check.first_opening import is_switched_off, refuse_wrong, replayed

    from ..progress import progress_bar
    from ..self_check import print_findings

    opened = open_bundle(find(bundle))
    engine_cache.check_bundle(opened)  # before the GPU is looked for
    device = engine_cache.Device.find()
    with progress_bar() as progress:
        folder = engine_cache.build_engines(opened, device, progress)
    if not is_switched_off():
        found = replayed(opened, Engine(opened))
        print_findings(opened.manifest, found, err=True)
        refuse_wrong(opened, found)
    click.echo(folder)
