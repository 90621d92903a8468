"""How a command ends: what errors print, and the exit code.

Every `EdgevloError` is one line and exit code 1; usage errors exit with 2, Ctrl-C with 130. Warnings are one line each,
`note: ...`, on the error stream; a repeated one is printed once.
"""

import sys
import warnings
from collections.abc import Callable, Sequence

import click

from edgevlo.runtime.errors import EdgevloError
from edgevlo.signals import Ended

from .parameters import in_options
from .printing import shown
from .system_errors import lacking


def exit_code(program: click.Group, arguments: Sequence[str]) -> int:
    """Run one command of a program; return the exit code."""
    command = program.commands.get(arguments[0]) if arguments else None
    warnings.showwarning = _note_printer(command)
    try:
        code = program.main(list(arguments), prog_name="edgevlo", standalone_mode=False)
        sys.stdout.flush()  # a full disk is found now and not when Python ends
    except click.exceptions.NoArgsIsHelpError as help_text:
        help_text.show()
        return 2
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as stopped:
        return _stopped(stopped)
    except BrokenPipeError:
        sys.stderr.close()  # the reader is gone
        return 1
    except EdgevloError as error:
        click.echo(f"edgevlo: {shown(in_options(' '.join(str(error).split()), command))}", err=True)
        return 1
    except OSError as error:
        reason = lacking(error)
        if reason is None:
            raise
        click.echo(f"edgevlo: {reason}, then run the command again.", err=True)
        return 1
    except ImportError as error:
        if not _interruption(error):
            raise
        return _stopped(error)
    except MemoryError:
        click.echo(
            "edgevlo: there is not enough memory for this; paint a smaller size or use a smaller bundle.", err=True
        )
        return 1
    return code if isinstance(code, int) else 0  # what Context.exit was given


def _stopped(error: BaseException) -> int:
    """Say that a command was stopped; return the exit code. click raises one error for signals and files that end."""
    behind = _interruption(error)
    if behind is None:
        raise error.__cause__ or error
    click.echo("stopped", err=True)
    return behind.code if isinstance(behind, Ended) else 130


def _interruption(error: BaseException | None) -> KeyboardInterrupt | None:
    """Return the signal behind an error: a library that it meets while it is loaded raises one of its own."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error


def _note_printer(command: click.Command | None) -> Callable[..., None]:
    """Return a `warnings.showwarning` that prints each note once: some commands read a picture several times."""
    printed: set[str] = set()

    def show(message: Warning | str, *_: object, **__: object) -> None:
        if str(message) not in printed:
            printed.add(str(message))
            click.echo(f"note: {shown(in_options(' '.join(str(message).split()), command))}", err=True)

    return show
