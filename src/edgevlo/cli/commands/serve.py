"""Commands about servers: serve, ps and stop."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

import edgevlo
from edgevlo.runtime.errors import RequestError

from ..options import c2pa_option, fingerprint_option, json_option, threads_option

if TYPE_CHECKING:
    from edgevlo.serving.web.access import Access

_BYTES = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}


@click.command()
@click.option("-m", "--model", "models", multiple=True, metavar="BUNDLE", help="Served; the first is the default.")
@click.option("--alias", "aliases", multiple=True, metavar="NAME[=MODEL]", help="Another name for a model.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=11435, show_default=True)
@click.option("--api-key-file", type=click.Path(path_type=Path), help="Keys that clients must have, one a line.")
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="A name that this server is called by.")
@click.option("--allow-origin", "origins", multiple=True, metavar="ORIGIN", help="A page or app that may call it.")
@click.option("--kiosk", is_flag=True, help="Also serve the page for visitors.")
@click.option(
    "--kiosk-idle",
    type=click.FloatRange(5),
    default=90.0,
    show_default=True,
    metavar="SECONDS",
    help="Until what a visitor made is deleted.",
)
@click.option("--kiosk-label/--no-kiosk-label", default=True, show_default=True, help="A visible label in the corner.")
@click.option("--kiosk-presets", type=click.Path(path_type=Path), help="Ideas for visitors, a JSON file.")
@click.option("--keep-alive", type=float, metavar="SECONDS", help="Close a model that was idle for so long.")
@click.option("--memory-budget", metavar="BYTES", help="Of all open models together, like 2GB.")
@threads_option
@click.option("--queue", type=click.IntRange(1, 10_000), default=64, show_default=True, help="Requests that may wait.")
@click.option("--deadline", type=click.FloatRange(0.1), default=600.0, show_default=True, help="Seconds a request has.")
@click.option("--grace", type=click.FloatRange(0), default=30.0, show_default=True, help="Seconds to finish in.")
@click.option("--embed-prompt", is_flag=True, help="Write prompts into the pictures.")
@c2pa_option
@fingerprint_option
@click.option("--fit-sizes", is_flag=True, help="Paint the nearest size instead of refusing one.")
@click.option(
    "--comment-every",
    type=click.FloatRange(0.01),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Between comments that keep a stream open while nothing comes.",
)
@click.option(
    "--journal",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write paintings down, so that the next server goes on with them.",
)
@click.option("--quiet", is_flag=True, help="Log errors only.")
def serve(
    models: tuple[str, ...],
    aliases: tuple[str, ...],
    host: str,
    port: int,
    api_key_file: Path | None,
    hosts: tuple[str, ...],
    origins: tuple[str, ...],
    kiosk: bool,
    kiosk_idle: float,
    kiosk_label: bool,
    kiosk_presets: Path | None,
    keep_alive: float | None,
    memory_budget: str | None,
    queue: int,
    deadline: float,
    grace: float,
    embed_prompt: bool,
    c2pa: bool,
    fingerprint: bool,
    fit_sizes: bool,
    comment_every: float,
    journal: Path | None,
    quiet: bool,
) -> None:
    """Serve models over HTTP: OpenAI's images API, painting row by row, and a page for visitors."""
    _check_installed()
    if c2pa:
        from edgevlo.runtime.c2pa.sign import prepare

        prepare()
    from edgevlo.models.served import aliased, served
    from edgevlo.serving.app_state import Answers
    from edgevlo.serving.engine.models import Keeping
    from edgevlo.serving.kiosk.settings import Kiosk
    from edgevlo.serving.limits import EngineLimits
    from edgevlo.serving.serve import Settings
    from edgevlo.serving.serve import serve as run

    page = Kiosk(idle_s=kiosk_idle, label=kiosk_label, presets=kiosk_presets) if kiosk else None
    folders = served(models)
    budget = None if memory_budget is None else _bytes(memory_budget)
    run(
        Settings(
            folders=folders,
            aliases=aliased(aliases, folders),
            host=host,
            port=port,
            grace_s=grace,
            version=edgevlo.__version__,
            quiet=quiet,
            journal=journal,
            access=_access(host, hosts, origins, api_key_file),
            limits=EngineLimits(queue=queue, queue_each=max(1, queue // 2), deadline_s=deadline),
            keeping=Keeping(keep_alive_s=keep_alive, memory_bytes=budget),
            answers=Answers(
                embed_prompt=embed_prompt,
                c2pa=c2pa,
                fingerprint=fingerprint,
                fit_sizes=fit_sizes,
                kiosk=page,
                comment_every_s=comment_every,
            ),
        )
    )


@click.command()
@json_option
def ps(as_json: bool) -> None:
    """Print the servers on this machine and their models."""
    from edgevlo.serving.running_servers import ask, notes

    found = [(note, ask(note, "/health")) for note in notes()]
    if as_json:
        click.echo(json.dumps([{"url": note.url, "pid": note.pid, **facts} for note, facts in found]))
        return
    for note, facts in found:
        queue = facts["queue"]
        click.echo(f"{note.url}  pid {note.pid}  {queue['running']} running, {queue['waiting']} waiting")
        for model in facts["models"]:
            size = f"{model['resident_bytes'] / 1e6:.0f} MB, pid {model['pid']}" if model["loaded"] else "not loaded"
            click.echo(f"  {model['name']}  {size}")


@click.command()
@click.option("--port", type=int, help="Only the server at this port.")
@click.option("--wait", "wait_s", type=float, default=60.0, show_default=True, help="Seconds to wait for its end.")
def stop(port: int | None, wait_s: float) -> None:
    """Stop the servers on this machine; what they are painting is finished first."""
    from edgevlo.serving.running_servers import notes
    from edgevlo.serving.running_servers import stop as end

    found = [note for note in notes() if port in (None, note.port)]
    if not found:
        raise RequestError("no server runs here; `edgevlo ps` prints those that do.")
    for note in found:
        if not end(note, wait_s):
            raise RequestError(f"{note.url} has not stopped within {wait_s:.0f} s; it is process {note.pid}.")
        click.echo(f"{note.url} stopped")


def _check_installed() -> None:
    from importlib.util import find_spec

    from edgevlo.runtime.extras import install_command

    for name in ("starlette", "uvicorn", "python_multipart", "segno"):
        if find_spec(name) is None:
            raise RequestError(f"{name} is not installed; add the server: {install_command('serve')}")


def _access(host: str, hosts: tuple[str, ...], origins: tuple[str, ...], key_file: Path | None) -> "Access":
    from edgevlo.serving.web.access import Access, read_keys, read_origins

    local = Access().hosts
    return Access(
        hosts=local | {host.lower()} | {name.lower() for name in hosts},
        any_address=host not in local,
        origins=read_origins(origins),
        keys=() if key_file is None else read_keys(key_file),
    )


def _bytes(text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(KB|MB|GB|)", text.strip().upper())
    if found is None:
        raise RequestError(f"{text!r} is not a size; give bytes, or a number with KB, MB or GB, like 2GB.")
    return round(float(found[1]) * _BYTES[found[2]])
