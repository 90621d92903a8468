"""`paint --resume` and `edit --resume`: a journal beside the picture while it is painted, and after an interruption."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_line import Run, fails, files
from PIL import Image

from edgevlo.runtime.model import Model


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def cut() -> Iterator[None]:
    """Interrupt commands just before they write their picture."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edgevlo.cli.commands.paint.write_picture", _interrupted)
        yield


def test_an_interrupted_picture_is_finished_by_the_same_command(edgevlo_run: Run, model: Model) -> None:
    with cut():
        assert edgevlo_run("paint", "a red car", "-m", "toy", "--seed", "3", "--resume").code == 130
    assert files() == ["out.png.journal"]

    ran = edgevlo_run("paint", "a red car", "-m", "toy", "--seed", "3", "--resume")

    assert ran.code == 0
    assert ran.err == "note: out.png.journal has 4 rows; going on from there\n"
    assert files() == ["out.png"]
    with Image.open("out.png") as image:
        assert image.tobytes() == model.paint("a red car", seed=3).tobytes()


def test_without_a_seed_the_journals_is_taken(edgevlo_run: Run, model: Model) -> None:
    with cut():
        edgevlo_run("paint", "a red car", "-m", "toy", "--resume")

    assert edgevlo_run("paint", "a red car", "-m", "toy", "--resume").code == 0
    with Image.open("out.png") as image:
        seed = int(str(image.info["parameters"]).partition("Seed: ")[2].partition(",")[0])
        assert image.tobytes() == model.paint("a red car", seed=seed).tobytes()


def test_an_edit_goes_on(edgevlo_run: Run) -> None:
    edgevlo_run("paint", "a red car", "-m", "toy", "-o", "car.png")
    command = ("edit", "car.png", "blue", "-m", "toy", "--seed", "1", "-o", "blue.png", "--resume")
    with cut():
        edgevlo_run(*command)

    ran = edgevlo_run(*command)

    assert (ran.code, files()) == (0, ["blue.png", "car.png"])
    assert "going on" in ran.err


def test_a_journal_of_other_words_is_refused_in_a_line(edgevlo_run: Run) -> None:
    with cut():
        edgevlo_run("paint", "a red car", "-m", "toy", "--resume")

    fails(edgevlo_run("paint", "a blue car", "-m", "toy", "--resume"), "out.png.journal was begun by another request")

    Path("out.png.journal").unlink()
    assert edgevlo_run("paint", "a blue car", "-m", "toy", "--resume").code == 0


@pytest.mark.parametrize("more", [("-n", "2"), ("-o", "-"), ("--codes-per-pass", "4")])
def test_what_has_no_journal_is_refused(edgevlo_run: Run, more: tuple[str, ...]) -> None:
    ran = edgevlo_run("paint", "a red car", "-m", "toy", "--resume", *more)

    assert ran.code == 2
    assert "--resume goes on" in ran.err
    assert files() == []


def test_without_resume_no_journal_is_written(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgevlo.runtime.journal.picture.resumed", None)

    assert edgevlo_run("paint", "a red car", "-m", "toy").code == 0
    assert files() == ["out.png"]
