"""Options and arguments that several commands share, and checks of arguments before anything is opened."""

import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from edgevlo.runtime.errors import EdgevloError
from edgevlo.runtime.extras import install_command

from .completion import ModelName

_THREADS: Final = "EDGEVLO_THREADS"

Command = TypeVar("Command", bound=Callable[..., Any])


def options(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Join several click decorators into one."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def _ask_for_threads(context: click.Context, _: click.Parameter, threads: int | None) -> None:
    """Set `$EDGEVLO_THREADS` while the command runs: for every model that it opens and every process that it starts."""
    if threads is not None:
        context.with_resource(_environment(_THREADS, str(threads)))


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


threads_option = click.option(
    "--threads",
    type=click.IntRange(min=0),
    expose_value=False,
    callback=_ask_for_threads,
    help="CPU threads for large graphs; 0 is all CPUs that this process may use.",
)
model_option = options(
    click.option(
        "-m", "--model", metavar="BUNDLE", type=ModelName(),
        help="Bundle folder, installed bundle or hub id; $EDGEVLO_MODEL or picturebook if not given.",
    ),
    threads_option,
)  # fmt: skip
bundle_argument = click.argument("bundle", required=False, type=ModelName())
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


class FilePath(click.Path):
    """A file or folder to write, which `-` is not: it would be standard output."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; fail for `-`."""
        if str(value) == "-":
            self.fail("- is standard output, which cannot hold this; name a file or folder.", param, ctx)
        return super().convert(value, param, ctx)


picture_argument = click.argument("picture", type=click.Path(path_type=Path))
pictures_argument = click.argument("pictures", nargs=-1, metavar="PICTURES...", type=click.Path(path_type=Path))
output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path), default="out.png", show_default=True,
    help="PNG file to write; - is standard output.",
)  # fmt: skip
sampling_options = options(
    click.option("--seed", type=int, help="0 to 4294967295; the same seed paints the same picture."),
    click.option("--guidance-scale", type=float, help="How closely to follow the words; 1 is without guidance."),
    click.option("--temperature", type=float, help="0 takes the likeliest code each time."),
    click.option("--top-k", type=int, help="Draw among this many of the likeliest codes; 0 is all."),
    click.option("--top-p", type=float, help="Draw among the likeliest codes with this total probability; 1 is all."),
    click.option("--negative-prompt", help="What the picture should not show."),
    click.option(
        "--codes-per-pass",
        type=int,
        help="Codes read at once, guessed and checked; 0: as many as pay here. [default: 1]",
    ),
)
answer_options = options(
    click.option("--max-tokens", type=int, help="Cut the answer after this many tokens."),
    click.option("--temperature", type=float, help="Above 0: draw the answer's tokens. [default: the likeliest]"),
    click.option("--top-p", type=float, help="Draw among the likeliest tokens with this total probability."),
    click.option("--seed", type=int, help="0 to 4294967295; the same seed draws the same answer."),
)
watch_option = click.option("--watch", is_flag=True, help="Paint rows in the terminal as they are finished.")
c2pa_option = click.option(
    "--c2pa", is_flag=True, envvar="EDGEVLO_C2PA", show_envvar=True,
    help="Sign pictures with this device's own key (Content Credentials; extra c2pa).",
)  # fmt: skip
fingerprint_option = click.option(
    "--fingerprint", is_flag=True, envvar="EDGEVLO_FINGERPRINT", show_envvar=True,
    help="Note what the model sees in a picture in a log on this machine, by which copies are recognised.",
)  # fmt: skip
paint_options = options(
    output_option,
    model_option,
    sampling_options,
    click.option("-n", "count", type=click.IntRange(1, 100), default=1, help="Number of pictures, seeds counted up."),
    click.option("--codes", type=FilePath(), help="Also write the code grid, int32 [rows, columns]."),
    watch_option,
    click.option("--resume", is_flag=True, help="Keep a journal beside OUTPUT, and go on from one that is there."),
    click.option("--no-prompt", is_flag=True, help="Leave the words out of the file; size, seed and AI mark stay."),
    c2pa_option,
    fingerprint_option,
    json_option,
)
image_guidance_option = click.option(
    "--image-guidance-scale",
    type=float,
    help="How closely to follow the picture, for models that guide by it too; 1 is without such guidance.",
)
size_option = click.option("--size", help="WIDTHxHEIGHT in pixels, or a ratio like 16:9.")


class _MisplacedError(click.ClickException):
    """A missing or misplaced argument: one line that shows the right form."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        click.echo(f"edgevlo: {self.format_message()}", err=True)


def check_pictures(pictures: tuple[Path, ...], words: str, words_name: str, *, needed: bool = True) -> None:
    """Raise a usage error when pictures are missing before the words, the words are a picture, or lack their quotes."""
    context = click.get_current_context()
    form = f"Usage: {context.command_path} PICTURE {words_name.upper()}"
    if _is_file(words):
        raise _MisplacedError(f"{context.info_name} takes its {words_name} after the picture {words}. {form}")
    if needed and not pictures:
        raise _MisplacedError(f"{context.info_name} needs a picture before its {words_name}. {form}")
    for number, path in enumerate(pictures[1:], start=1):
        if str(path) != "-" and not path.suffix and not os.path.lexists(path):  # a word, not a mistyped file
            quoted = shlex.join([*map(str, pictures[:number]), " ".join(map(str, (*pictures[number:], words)))])
            raise _MisplacedError(
                f"there is no picture {path}; put the {words_name} in quotes: {context.command_path} {quoted}"
            )


def check_quotes(prompt: str) -> None:
    """Raise a usage error when the words of a prompt came one by one, for want of quotes."""
    context = click.get_current_context()
    if context.args:
        quoted = shlex.quote(" ".join((prompt, *context.args)))
        raise _MisplacedError(f"put the prompt in quotes: {context.command_path} {quoted}")


def _is_file(path: str | Path) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # words that cannot be a file name: too long, not Unicode
        return False


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Turn a missing package of an extra into the command that installs it."""
    try:
        yield
    except ImportError as error:
        needed = f"this needs the packages of edgevlo's extra '{extra}', which are not installed"
        raise EdgevloError(f"{needed}: {install_command(extra)} ({error}).") from error
