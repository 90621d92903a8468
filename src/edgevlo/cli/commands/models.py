"""Commands about the models on this machine: pull, list, rm, show and verify."""

import json
from typing import TYPE_CHECKING, Any

import click

from ..completion import ModelName
from ..options import bundle_argument, json_option
from ..printing import say, say_json

if TYPE_CHECKING:
    from edgevlo.runtime.bundle import Bundle


@click.command()
@click.argument("name", metavar="OWNER/NAME")
@click.option("--revision", help="Branch, tag or commit; the newest if none is given.")
@click.option("--pickle", "pickles", is_flag=True, help="Download pickled weights if there are no safetensors.")
def pull(name: str, revision: str | None, pickles: bool) -> None:
    """Download a bundle or a checkpoint from the Hugging Face Hub and verify it; nothing in it is executed."""
    from edgevlo.models.pull import pull as install

    folder, kind = install(name, revision=revision, pickles=pickles)
    click.echo(folder)
    if kind == "checkpoint":
        click.echo(f"{name} is a checkpoint; make a bundle of it: edgevlo export {name} -o BUNDLE", err=True)


@click.command("list")
@json_option
def list_models(as_json: bool) -> None:
    """Print the models on this machine: bundles, those in the current folder included, and checkpoints to export."""
    from edgevlo.models.list import entries

    found = list(entries())
    if as_json:
        facts = [
            {"name": one.name, "kind": one.kind, "what": one.what, "licence": one.licence, "bytes": one.bytes,
             "folder": str(one.folder)} for one in found
        ]  # fmt: skip
        say_json(facts)
        return
    wide = max(len(one.name) for one in found) if found else 0
    for one in found:
        say(f"{one.name:{wide}}  {one.kind:10}  {one.bytes / 1e6:9.1f} MB  {one.what}  {one.licence}".rstrip())


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...", type=ModelName())
def rm(names: tuple[str, ...]) -> None:
    """Remove installed bundles, and checkpoints from the hub's cache."""
    from edgevlo.models.remove import remove

    for name in names:
        click.echo(f"{name} removed, {remove(name) / 1e6:.1f} MB")


@click.command()
@bundle_argument
@json_option
def show(bundle: str | None, as_json: bool) -> None:
    """Print what a bundle is and can do, its size on disk, and the memory that painting a picture takes."""
    from edgevlo.models.find import find
    from edgevlo.runtime.manifest.schema import encode_manifest, read_manifest

    from ..describe import describe, memory_facts

    folder = find(bundle)
    manifest = read_manifest(folder)
    if not as_json:
        say(describe(manifest, folder))
        return
    facts = {**json.loads(encode_manifest(manifest)), "memory": memory_facts(manifest, folder)}
    say_json(facts, indent=1)


@click.command()
@bundle_argument
@click.option(
    "--run", "runs_here", is_flag=True, help="Replay the bundle's own outputs on its device and compare them."
)
@json_option
def verify(bundle: str | None, runs_here: bool, as_json: bool) -> None:
    """Check every file of a bundle against its manifest, and run each of its graphs in a process of its own."""
    from edgevlo.models.find import find
    from edgevlo.runtime.bundle import read_bundle, verify_bundle
    from edgevlo.runtime.errors import BundleError
    from edgevlo.runtime.memory.predict import on_cpu
    from edgevlo.runtime.self_check.record import read_record

    folder = find(bundle)
    try:
        opened = read_bundle(folder)
        verify_bundle(opened)
        read_record(opened)
    except BundleError as error:
        if not as_json:
            raise
        say_json({"folder": str(folder), "whole": False, "reason": str(error)})
        click.get_current_context().exit(1)
    files, target = opened.manifest.files, opened.manifest.target
    runs, size = on_cpu(opened.manifest), sum(file.bytes for file in files.values())
    facts = {"folder": str(folder), "whole": True, "files": len(files), "bytes": size, "graphs_run": runs}
    if not as_json:
        graphs = "graphs run" if runs else f"graphs not opened, they are for {target}"
        click.echo(f"{folder} is whole: {len(files)} files, {size / 1e6:.1f} MB, {graphs}.")
    if runs_here:
        _run_here(opened, facts, as_json)
    elif as_json:
        say_json(facts)


def _run_here(bundle: "Bundle", facts: dict[str, Any], as_json: bool) -> None:
    """Replay a bundle's outputs, print the figures, and refuse what is outside the limits."""
    from edgevlo.runtime.engine import Engine
    from edgevlo.runtime.self_check.first_opening import refuse_wrong, replayed

    from .. import self_check

    found = replayed(bundle, Engine(bundle))
    if as_json:
        why = None if found else self_check.why_none(bundle.manifest)
        say_json({**facts, "self_check": self_check.facts(found), "why_no_self_check": why})
    else:
        self_check.print_findings(bundle.manifest, found)
    refuse_wrong(bundle, found)
